"""The one box that says where everything is and who can sign in."""

from typing import Any


def draw(shown: dict[str, Any]) -> str:
    """A frame of plain characters, so that it reads well in any terminal and in a log."""
    lines = [f"The portal is ready ({shown['seconds']} s). Ctrl-C stops everything.", ""]
    lines += [f"{name.capitalize():<15}{shown[name]}" for name in ("portal", "admin", "outside world")]
    if shown["signins"]:
        lines += ["", "Sign-ins"]
        width = max(len(str(person["who"])) for person in shown["signins"])
        for person in shown["signins"]:
            ways = " or ".join(str(person[key]) for key in ("email", "mobile") if person.get(key))
            lines.append(f"  {person['who']:<{width}}  {ways}  {person['password']}")
            if seed := person.get("seed"):
                lines.append(f"  {'':<{width}}  then the code from {shown['outside world']}authenticator/{seed}")
    inside = max(map(len, lines))
    edge = "─" * (inside + 2)
    return "\n".join([f"┌{edge}┐", *(f"│ {line:<{inside}} │" for line in lines), f"└{edge}┘"])
