"""What a person may say about their account, checked once."""

from django import forms
from django.contrib.auth.forms import PasswordChangeForm, SetPasswordForm, UserCreationForm
from django.db import transaction
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from finstage.accounts import invitations
from finstage.models import Invitation, User

LONGEST_PASSWORD = 1000


class Profile(forms.ModelForm):
    """Name and address; the address, which opens the account by mail, with the password."""

    password = forms.CharField(required=False, strip=False, max_length=LONGEST_PASSWORD)

    class Meta:
        model = User
        fields = ("first_name", "email")

    def clean(self) -> dict:
        told = super().clean()
        if "email" in self.changed_data and not User.objects.get(pk=self.instance.pk).check_password(
            told.get("password") or ""
        ):
            self.add_error("password", _("Another address needs your password: a link to it opens your account."))
        return told

    def save(self, commit: bool = True) -> User:
        self.instance.last_name = ""  # one name, written as the person writes it
        self.instance.save(update_fields=["first_name", "last_name", "email"])
        return self.instance


class WeaknessAtFirst:
    """Of two fields for a password that which says what is allowed says what is wrong with it, too."""

    def validate_password_for_user(self, user: User, password_field_name: str = "password2") -> None:
        super().validate_password_for_user(user, password_field_name.replace("password2", "password1"))


class ForgottenPassword(WeaknessAtFirst, SetPasswordForm):
    """Django's, behind the link of a mail."""


class NewPassword(WeaknessAtFirst, PasswordChangeForm):
    """Django's; the page has other forms, and does not jump to this one."""

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["old_password"].widget.attrs["autofocus"]


class Deletion(forms.Form):
    """Typed in full, and by who knows the password."""

    name = forms.CharField(max_length=150)
    password = forms.CharField(strip=False, max_length=LONGEST_PASSWORD)

    def __init__(self, user: User, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self._user = user

    def clean_name(self) -> str:
        if self.cleaned_data["name"] != self._user.get_username():
            raise forms.ValidationError(_("This is not the name of this account."))
        return self.cleaned_data["name"]

    def clean_password(self) -> str:
        if not self._user.check_password(self.cleaned_data["password"]):
            raise forms.ValidationError(_("This is not your password."))
        return self.cleaned_data["password"]


class Registration(WeaknessAtFirst, UserCreationForm):
    """A new account, for who may make one; its name differs from every other by more than capitals."""

    code = forms.CharField(required=False, max_length=200)

    class Meta:
        model = User
        fields = ("username", "email")

    def __init__(self, *args, needs_invitation: bool, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self._needs_invitation, self._invitation = needs_invitation, None

    def clean_username(self) -> str:
        """Django's own look leaves capitals to the database's rules, and MariaDB's here tell them apart."""
        name = super().clean_username()
        if name and User.objects.alias(lowered=Lower("username")).filter(lowered=name.lower()).exists():
            raise forms.ValidationError(self.instance.unique_error_message(User, ["username"]))
        return name

    def clean_code(self) -> str:
        code = self.cleaned_data["code"]
        if self._needs_invitation:
            self._invitation: Invitation | None = invitations.open_one(code)
            if self._invitation is None:
                raise forms.ValidationError(
                    _("This invitation is wrong, was used, or is over: ask for another one where you got it.")
                )
        return code

    @transaction.atomic
    def make(self) -> User | None:
        """The account; None where somebody else used the invitation first."""
        user = self.save()
        if self._invitation is not None and not invitations.use(self._invitation, user):
            transaction.set_rollback(True)
            return None
        return user
