"""From a text as sent to what the detectors read: the plain view, decoded views, prompts, token windows."""

from raxe.text.clauses import clauses
from raxe.text.normalise import normalise
from raxe.text.prompt import prepare
from raxe.text.views import views
from raxe.text.windows import windows

__all__ = ["clauses", "normalise", "prepare", "views", "windows"]
