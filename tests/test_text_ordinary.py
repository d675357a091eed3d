"""Ordinary text is decoded to nothing: prose of sixteen languages, code, lists, units, links."""

import pytest

from raxe.text import views

PROSE = {
    "en": "The meeting moved to Thursday at 10:30, so bring the 2nd draft; we'll check prices (about $40) there.",
    "de": "Die Donaudampfschifffahrtsgesellschaft hat den Fahrplan geändert, schöne Grüße aus Österreich!",
    "fr": "L'été dernier, nous avons loué une maison près de Nîmes ; c'était à côté d'un vieux château.",
    "es": "Mañana iré al mercado con mi abuela. ¿Quieres que te traiga algo, aunque sea pequeño?",
    "pt": "A reunião começa às nove, não às dez; traga por favor o relatório na versão mais recente.",
    "pl": "Wczoraj późnym wieczorem spadł śnieg i cała łąka była biała, żółty domek też.",
    "tr": "Çayı sıcak içiyorlardı; ışık sönünce kapıyı yavaşça kapatıp dışarı çıktılar.",
    "vi": "Hôm qua trời mưa rất to, nhưng chúng tôi vẫn đi bộ đến trường cùng nhau.",
    "ru": "Вчера мы долго гуляли по набережной, а потом пили чай с вареньем и смотрели на реку.",
    "el": "Χθες το βράδυ περπατήσαμε στην παραλία και μετά ήπιαμε έναν καφέ στην πλατεία.",
    "ar": "ذهبنا أمس إلى السوق واشترينا الخبز والفاكهة، ثم عدنا إلى البيت قبل المغرب.",
    "he": "אתמול הלכנו לשוק וקנינו לחם ופירות, ואחר כך חזרנו הביתה לפני הערב.",
    "hi": "कल शाम हम नदी के किनारे टहलने गए और फिर घर लौटकर चाय पी।",
    "zh": "昨天我们去了市场,买了面包和水果,然后在天黑之前回家了。",
    "ja": "昨日は市場へ行って、パンと果物を買い、暗くなる前に家に帰りました。",
    "ko": "어제 우리는 시장에 가서 빵과 과일을 사고 어두워지기 전에 집에 돌아왔습니다.",
}
ORDINARY = {
    "code": "def total(rows: list[int]) -> int:\n    return sum(row for row in rows if row % 2 == 0)  # even ones\n",
    "identifiers": "call internationalSettingsProvider.getDefaultLocale() in /usr/local/lib/python3/site-packages",
    "long names": "AbstractSingletonProxyFactoryBean, resolveApplicationCommandHandlers, testSettingsArePropagated",
    "digest": "sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855, commit 9fceb02d0ae598e95",
    "uuid": "request 123e4567-e89b-12d3-a456-426614174000 failed at 2024-05-01T10:22:33Z",
    "list": "Choose A, B, C, D or E. The initials J. R. R. T. stand for the author; x + y + z = 10.",
    "table": "| a | b |\n| --- | --- |\n| 65 | 66 |\n| 70 | 71 |\n- - - - -\n",
    "numbers": "12 15 18 21 24 27 30 33 36 39 42 45 48 51",
    "science": "The 5 μm filter, the α-helix, TGF-β and a 30 °C bath; H2O, CO2, x² and 10⁻³.",
    "flags": "Teams: 🇫🇷 🇩🇪 and 🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f, family 👨‍👩‍👧, heart ❤️.",
    "link": "See https://example.org/a%20b?q=1&lang=en&x=2 for the 2nd edition, AT&T and R&D; 50% of it is new.",
    "json": '{"name": "caf\\u00e9", "ok": true, "path": "C:\\\\temp\\\\new", "n": [1, 2, 3]}',
}


@pytest.mark.parametrize("language", PROSE)
def test_ordinary_prose_gives_the_plain_view_alone(language: str) -> None:
    """Honest sentences of sixteen languages are decoded to nothing, alone and repeated."""
    assert [view.name for view in views(PROSE[language])] == ["plain"]
    assert [view.name for view in views(f"{PROSE[language]}\n" * 30)] == ["plain"]


def test_prose_of_all_languages_together_gives_the_plain_view_alone() -> None:
    """A document in many scripts is no disguise."""
    assert len(views("\n".join(PROSE.values()))) == 1


@pytest.mark.parametrize("kind", ORDINARY)
def test_ordinary_technical_text_gives_the_plain_view_alone(kind: str) -> None:
    """Code, digests, lists, tables, units, flags and links are decoded to nothing."""
    assert [view.name for view in views(ORDINARY[kind])] == ["plain"]
