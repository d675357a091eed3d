"""Our own short list of English words, by which a decoder knows that it has read something.

``TELLING`` are words of attacks and of talk with a model; ``COMMON`` adds everyday words. All are lower case.
"""

_TELLING = """
access admin administrator answer api assistant attack bash bomb bypass cat chmod code command commands confidential
config context curl database delete developer disable disregard dump email encode erase etc eval exec execute
exfiltrate exploit explosive file files filter filters forget guard guardrails guideline guidelines hack hacker hidden
http https ignore ignoring import inject injection instruction instructions jailbreak key keys kill leak limits login
malware message mode model obey output override passwd password passwords pretend previous print prior privilege
prompt prompts python refuse remove repeat reveal role root rule rules safeguards safety script secret secrets secure
security select send sensitive server shell show sudo system table tell token tokens tool tools unfiltered unlock
unrestricted upload user users virus weapon wget without write
"""
_EVERYDAY = """
about above after again all also always and another any are because been before being below between both but can could
data day did does done down each even every everything explain find first follow following for from full get give
given good great had has have hello her here him his how into its just know last like list long look made make many
may more most must name need never new next not nothing now number off old only open other our out over own people
please point put question read real right said same say see sentence should some start step still such take text than
that the their them then there these they thing things think this those time translate two under until use used using
very want was way well were what when where which while who why will with word words work world would year you your
yours yourself
"""

TELLING = frozenset(_TELLING.split())
COMMON = TELLING.union(_EVERYDAY.split())
LONGEST = max(map(len, COMMON))


def segment(letters: str) -> list[str]:
    """A lower-case run of letters cut into known words, longest first; what is between them stays whole."""
    words: list[str] = []
    loose = at = 0
    while at < len(letters):
        size = next((n for n in range(min(LONGEST, len(letters) - at), 2, -1) if letters[at : at + n] in COMMON), 0)
        if size:
            words += [letters[loose:at], letters[at : at + size]]
            loose = at = at + size
        else:
            at += 1
    words.append(letters[loose:])
    return [word for word in words if word]
