"""Answers in Discord: text that cannot break out of its code block, long answers in pages with buttons."""

from collections.abc import Sequence
from typing import Final

import discord

MAX_TEXT: Final = 1_900
"""Characters of one page's text, below Discord's limit for a message with room for the code block."""

TIMEOUT: Final = 600.0
"""Seconds after which the buttons of an answer stop working."""


def code_block(text: str) -> str:
    """Return text as a code block that nothing in it can close."""
    return "```\n" + text.replace("`", "\u02cb").rstrip("\n") + "\n```"


def split_pages(text: str) -> list[str]:
    """Return text cut into pages at line ends; the first two lines, a table's head, are repeated on each."""
    if len(text) <= MAX_TEXT:
        return [text]
    lines = [line if len(line) <= MAX_TEXT // 4 else line[: MAX_TEXT // 4 - 1] + "…" for line in text.splitlines()]
    head, pages, current = lines[:2], [], list(lines[:2])
    for line in lines[2:]:
        if sum(map(len, current)) + len(current) + len(line) > MAX_TEXT:
            pages.append("\n".join(current))
            current = list(head)
        current.append(line)
    return [*pages, "\n".join(current)]


class Pages(discord.ui.View):
    """Buttons to turn the pages of an answer, for the user who asked only."""

    def __init__(self, user: int, pages: Sequence[str]) -> None:
        super().__init__(timeout=TIMEOUT)
        self._user = user
        self._pages = pages
        self._page = 0
        self._update()

    @property
    def content(self) -> str:
        """The text of the page that is shown."""
        note = f"page {self._page + 1} of {len(self._pages)}" if len(self._pages) > 1 else ""
        return code_block(self._pages[self._page]) + note

    async def interaction_check(self, interaction: discord.Interaction) -> bool:
        """Let nobody but the user who asked turn pages."""
        if interaction.user.id == self._user:
            return True
        await interaction.response.send_message("These buttons belong to somebody else's answer.", ephemeral=True)
        return False

    @discord.ui.button(label="Previous")
    async def previous(self, interaction: discord.Interaction, _button: discord.ui.Button["Pages"]) -> None:
        """Show the page before."""
        await self._turn(interaction, -1)

    @discord.ui.button(label="Next")
    async def next(self, interaction: discord.Interaction, _button: discord.ui.Button["Pages"]) -> None:
        """Show the page after."""
        await self._turn(interaction, 1)

    async def _turn(self, interaction: discord.Interaction, step: int) -> None:
        self._page = max(0, min(len(self._pages) - 1, self._page + step))
        self._update()
        await interaction.response.edit_message(content=self.content, view=self)

    def _update(self) -> None:
        self.previous.disabled = self._page == 0
        self.next.disabled = self._page == len(self._pages) - 1


class Confirm(discord.ui.View):
    """Asks whether a command that cannot be undone is meant. `confirmed` is None until its user has answered."""

    def __init__(self, user: int, label: str) -> None:
        super().__init__(timeout=60.0)
        self._user = user
        self.confirmed: bool | None = None
        self.yes.label = label

    async def interaction_check(self, interaction: discord.Interaction) -> bool:
        """Let nobody but the user who asked answer."""
        if interaction.user.id == self._user:
            return True
        await interaction.response.send_message("This question was asked of somebody else.", ephemeral=True)
        return False

    @discord.ui.button(label="Yes", style=discord.ButtonStyle.danger)
    async def yes(self, interaction: discord.Interaction, _button: discord.ui.Button["Confirm"]) -> None:
        """Confirm."""
        await self._answer(interaction, True, "Working on it …")

    @discord.ui.button(label="No")
    async def no(self, interaction: discord.Interaction, _button: discord.ui.Button["Confirm"]) -> None:
        """Cancel."""
        await self._answer(interaction, False, "Nothing was changed.")

    async def _answer(self, interaction: discord.Interaction, confirmed: bool, said: str) -> None:
        self.confirmed = confirmed
        await interaction.response.edit_message(content=said, view=None)
        self.stop()
