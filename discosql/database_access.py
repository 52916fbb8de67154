"""Who may use a database's slash commands, and how long their statements may run."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import discord

Rule: TypeAlias = "discord.Permissions | Collection[int | str]"
"""Who may do something: who has all these permissions, or one of these roles, by id or name.

Administrators of the server always may. Permissions are what Discord itself goes by, and the server's settings can
replace them; empty ones let everybody in. Discord cannot be told roles by a bot: it then shows the command to
everybody, and the bot refuses those without a role.
"""

TIMEOUT: Final = 20.0


def _administrators() -> Rule:
    return discord.Permissions(administrator=True)


@dataclass(frozen=True, slots=True)
class CommandAccess:
    """Who may use the slash commands: by default the server's administrators only.

    `read`: the commands that only read, and reading statements of /sql. `write`: the commands that change rows, and
    all other statements of /sql. `commands`: rules for single commands by their first word, such as ``{"chart": …}``.
    `timeout`: seconds that a statement of a command may take.
    """

    read: Rule = field(default_factory=_administrators)
    write: Rule = field(default_factory=_administrators)
    commands: Mapping[str, Rule] = field(default_factory=dict)
    timeout: float = TIMEOUT

    def __post_init__(self) -> None:
        for rule in (self.read, self.write, *self.commands.values()):
            if isinstance(rule, str):
                raise TypeError(f"roles are given as a collection: [{rule!r}]")

    def rule(self, command: str, *, writes: bool) -> Rule:
        """Return who may use a command; whoever may write by role may read too."""
        if command in self.commands:
            return self.commands[command]
        if writes:
            return self.write
        if isinstance(self.read, discord.Permissions) or isinstance(self.write, discord.Permissions):
            return self.read
        return [*self.read, *self.write]

    def may_use(self, command: str, interaction: discord.Interaction, *, writes: bool) -> bool:
        """Tell whether the bot itself lets a user use a command that Discord let through."""
        rule = self.rule(command, writes=writes)
        return isinstance(rule, discord.Permissions) or _fits(rule, interaction)

    def may_write(self, interaction: discord.Interaction) -> bool:
        """Tell whether a user may run statements that change something."""
        return _fits(self.write, interaction)


def default_permissions(rule: Rule) -> discord.Permissions | None:
    """Return what Discord is to ask of those who see a command, None for nothing."""
    return rule if isinstance(rule, discord.Permissions) and rule.value else None


def _fits(rule: Rule, interaction: discord.Interaction) -> bool:
    if interaction.permissions.administrator:
        return True
    if isinstance(rule, discord.Permissions):
        return interaction.permissions.is_superset(rule)
    roles = interaction.user.roles if isinstance(interaction.user, discord.Member) else []
    return any(role.id in rule or role.name in rule for role in roles)
