"""Permissions-Policy on every answer: no page of ours, and nothing it might frame, asks for a camera or a place."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

# The features that W3C's registry calls policy-controlled and browsers know, as far as they reach beyond the page
# (https://github.com/w3c/webappsec-permissions-policy/blob/main/features.md). Our pages use none of them.
DENIED = (
    *("accelerometer", "ambient-light-sensor", "autoplay", "battery", "bluetooth", "browsing-topics", "camera"),
    *("display-capture", "encrypted-media", "fullscreen", "gamepad", "geolocation", "gyroscope", "hid"),
    *("identity-credentials-get", "idle-detection", "local-fonts", "magnetometer", "microphone", "midi"),
    *("otp-credentials", "payment", "picture-in-picture", "publickey-credentials-create", "publickey-credentials-get"),
    *("screen-wake-lock", "serial", "storage-access", "usb", "web-share", "window-management", "xr-spatial-tracking"),
)
POLICY = ", ".join(f"{feature}=()" for feature in DENIED)


class PermissionsPolicyMiddleware:
    """The first of all, so that errors, redirects and static files carry the header too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The answer with the header; a view that has set its own keeps it."""
        response = self.get_response(request)
        response.headers.setdefault("Permissions-Policy", POLICY)
        return response
