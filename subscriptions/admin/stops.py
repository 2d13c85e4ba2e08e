"""Addresses that get no mail."""
# ruff: noqa: ARG002 - the hooks have Django's signatures

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from subscriptions import addresses, clock, lifecycle
from subscriptions.admin.by_address import FoundByAddress
from subscriptions.admin.lists import never
from subscriptions.models import Suppression


class SuppressionForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """An address to write down as its hash."""

    address = forms.EmailField(help_text="Only its keyed hash is kept: nobody can read it here afterwards.")

    def clean_address(self) -> str:
        """The address as it is kept elsewhere: its hash must find the reader."""
        try:
            return addresses.clean(self.cleaned_data["address"])
        except ValueError as error:
            raise ValidationError(str(error)) from error

    def clean(self) -> dict[str, Any]:
        """Refuse a second one by hand while the first is in force."""
        data = super().clean() or {}
        same = {
            "email_hash": addresses.address_hash(data.get("address", "")),
            "reason": Suppression.Reason.MANUAL,
        }
        if Suppression.objects.live(clock.now()).filter(**same).exists():
            raise ValidationError("This address is suppressed by hand already.")
        self.instance.email_hash, self.instance.reason = same.values()
        return data


@admin.register(Suppression)
class SuppressionAdmin(FoundByAddress):
    """Addresses that get no mail. Added by hand and lifted; never changed, never deleted."""

    form = SuppressionForm
    list_display = ("__str__", "reason", "detail", "created_at", "ends_at", "lifted_at")
    list_filter = ("reason", ("lifted_at", admin.EmptyFieldListFilter))
    number = ""
    search_help_text = "A whole address."
    actions = ("lift",)
    has_change_permission = has_delete_permission = never

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The address once, on the way in."""
        return ("reason", "detail", "created_at", "ends_at", "lifted_at") if obj else ("address", "detail")

    def has_lift_permission(self, request: HttpRequest) -> bool:
        """Whoever may change suppressions may lift them."""
        return request.user.has_perm("subscriptions.change_suppression")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Now is when it begins."""
        obj.created_at = clock.now()
        super().save_model(request, obj, form, change)

    @admin.action(description="Lift the selected suppressions", permissions=["lift"])
    def lift(self, request: HttpRequest, queryset: Any) -> None:
        """The addresses may get mail again; the rows stay as the record."""
        live = list(queryset.live(clock.now()))
        lifecycle.lift(Suppression.objects.filter(pk__in=[row.pk for row in live]), clock.now())
        self.log(request, live, "Lifted.")
        self.message_user(request, f"Lifted: {len(live)}.", messages.SUCCESS)
