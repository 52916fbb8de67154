"""Answers in Discord: an embed with a code block, long ones in pages with buttons that only the asker may press."""

from dataclasses import dataclass
from typing import Any, Final, Self

import discord

from discosql.bot.text import MAX_FOOTER, MAX_TITLE, code_block, cut, plain, split_pages

TIMEOUT: Final = 600.0
"""Seconds without a press after which the buttons of an answer stop working; Discord lets it be edited for 900."""

QUESTION_TIMEOUT: Final = 60.0

SILENT: Final = discord.AllowedMentions.none()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command answers with: a title, a text in pages, and a note below such as the number of rows."""

    title: str
    pages: list[str]
    note: str = ""

    @classmethod
    def of(cls, title: str, text: str, note: str = "", *, head: int = 0) -> Self:
        """Return the answer with a text of any length, whose first `head` lines are shown on every page."""
        return cls(title, split_pages(text, head), note)

    def embed(self, page: int = 0) -> discord.Embed:
        """Return a page as an embed within Discord's limits."""
        embed = discord.Embed(
            title=plain(self.title, MAX_TITLE),
            description=code_block(self.pages[page]),
            colour=discord.Colour.blurple(),
        )
        place = f"page {page + 1} of {len(self.pages)}" if len(self.pages) > 1 else ""
        footer = " · ".join(part for part in (place, self.note) if part)
        return embed.set_footer(text=cut(footer, MAX_FOOTER)) if footer else embed


class OwnedView(discord.ui.View):
    """Buttons that belong to one user, and go grey when they stop working."""

    refusal = "These buttons belong to somebody else's answer."

    def __init__(self, interaction: discord.Interaction, timeout: float = TIMEOUT) -> None:
        super().__init__(timeout=timeout)
        self._owner = interaction.user.id
        self._last = interaction  # its token is what the message can be edited with
        self._message: int | None = None  # None: the first answer to `_last`

    def sent(self, message: discord.Message) -> None:
        """Note the message that the buttons are on, if it is not the first answer to the command."""
        self._message = message.id

    async def interaction_check(self, interaction: discord.Interaction) -> bool:
        """Let nobody but the user who asked press."""
        if interaction.user.id == self._owner:
            self._last, self._message = interaction, None
            return True
        await interaction.response.send_message(self.refusal, ephemeral=True, allowed_mentions=SILENT)
        return False

    async def on_timeout(self) -> None:
        """Make the buttons grey."""
        for item in self.children:
            if isinstance(item, discord.ui.Button):
                item.disabled = True
        await self.show(view=self)

    async def show(self, **changes: Any) -> None:
        """Edit the message with the buttons; nothing to do if its user has dismissed it."""
        try:
            if self._message is None:
                await self._last.edit_original_response(**changes, allowed_mentions=SILENT)
            else:
                await self._last.followup.edit_message(self._message, **changes, allowed_mentions=SILENT)
        except discord.NotFound:
            return


class Pages(OwnedView):
    """Buttons to turn the pages of an answer."""

    def __init__(self, interaction: discord.Interaction, answer: Answer, timeout: float = TIMEOUT) -> None:
        super().__init__(interaction, timeout)
        self._answer = answer
        self._page = 0
        self._update()

    @discord.ui.button(label="First")
    async def first(self, interaction: discord.Interaction, _button: discord.ui.Button["Pages"]) -> None:
        """Show the first page."""
        await self._turn(interaction, 0)

    @discord.ui.button(label="Previous")
    async def previous(self, interaction: discord.Interaction, _button: discord.ui.Button["Pages"]) -> None:
        """Show the page before."""
        await self._turn(interaction, self._page - 1)

    @discord.ui.button(label="Next")
    async def next(self, interaction: discord.Interaction, _button: discord.ui.Button["Pages"]) -> None:
        """Show the page after."""
        await self._turn(interaction, self._page + 1)

    @discord.ui.button(label="Last")
    async def last(self, interaction: discord.Interaction, _button: discord.ui.Button["Pages"]) -> None:
        """Show the last page."""
        await self._turn(interaction, len(self._answer.pages) - 1)

    async def _turn(self, interaction: discord.Interaction, page: int) -> None:
        # Two presses may be on their way when the first turns to the end.
        self._page = max(0, min(len(self._answer.pages) - 1, page))
        self._update()
        await interaction.response.edit_message(
            embed=self._answer.embed(self._page), view=self, allowed_mentions=SILENT
        )

    def _update(self) -> None:
        self.first.disabled = self.previous.disabled = self._page == 0
        self.next.disabled = self.last.disabled = self._page == len(self._answer.pages) - 1


class Confirm(OwnedView):
    """Asks whether a command that cannot be undone is meant. `confirmed` is True once its user has said so."""

    refusal = "This question was asked of somebody else."

    def __init__(self, interaction: discord.Interaction, label: str, timeout: float = QUESTION_TIMEOUT) -> None:
        super().__init__(interaction, timeout)
        self.confirmed = False
        self.yes.label = label

    @discord.ui.button(label="Yes", style=discord.ButtonStyle.danger)
    async def yes(self, interaction: discord.Interaction, _button: discord.ui.Button["Confirm"]) -> None:
        """Confirm."""
        self.confirmed = True
        await self._close(interaction, "Working on it …")

    @discord.ui.button(label="No")
    async def no(self, interaction: discord.Interaction, _button: discord.ui.Button["Confirm"]) -> None:
        """Cancel."""
        await self._close(interaction, "Nothing was changed.")

    async def on_timeout(self) -> None:
        """Say that no answer is a no."""
        await self.show(content="Nothing was changed: there was no answer in time.", view=None)

    async def _close(self, interaction: discord.Interaction, said: str) -> None:
        await interaction.response.edit_message(content=said, view=None, allowed_mentions=SILENT)
        self.stop()


async def send(interaction: discord.Interaction, answer: Answer) -> None:
    """Answer a command, to its user only and pinging nobody, with buttons if there are several pages."""
    options: dict[str, Any] = {"embed": answer.embed(), "ephemeral": True, "allowed_mentions": SILENT}
    view = Pages(interaction, answer) if len(answer.pages) > 1 else None
    if view is not None:
        options["view"] = view
    if interaction.response.is_done():
        message = await interaction.followup.send(**options, wait=True)
        if view is not None:
            view.sent(message)
    else:
        await interaction.response.send_message(**options)


async def say(interaction: discord.Interaction, text: str) -> None:
    """Answer a command with one short text of the bot's own, to its user only."""
    if interaction.response.is_done():
        await interaction.followup.send(text, ephemeral=True, allowed_mentions=SILENT)
    else:
        await interaction.response.send_message(text, ephemeral=True, allowed_mentions=SILENT)
