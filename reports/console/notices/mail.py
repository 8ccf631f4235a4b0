"""A notice by e-mail: SMTP with STARTTLS or TLS, the server's certificate always verified."""

import smtplib
from email.message import EmailMessage
from email.utils import format_datetime, localtime

from drivers.language import say
from reports.console.notices.webhook import UndeliveredError
from reports.console.notices.words import Letter
from reports.site_notices import Mail


def send(to: Mail, letter: Letter) -> None:
    """Raises UndeliveredError, OSError, ConfigError (its secret). One of several may be refused."""
    password = to.password()
    message = formed(to, letter)
    try:
        if to.security == "tls":
            link: smtplib.SMTP = smtplib.SMTP_SSL(
                to.host, to.port, timeout=to.timeout_s, context=to.context()
            )
        else:
            link = smtplib.SMTP(to.host, to.port, timeout=to.timeout_s)
        with link:
            if to.security == "starttls":
                link.starttls(context=to.context())
            if to.username:
                link.login(to.username, password)
            link.send_message(message)
    except smtplib.SMTPNotSupportedError:
        raise UndeliveredError(
            say("邮件服务器不支持所需的加密或登录", "the server offers no such TLS or log-in")
        ) from None
    except smtplib.SMTPResponseException as error:
        text = error.smtp_error
        told = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
        raise UndeliveredError(f"SMTP {error.smtp_code} {told}"[:300]) from None
    except smtplib.SMTPRecipientsRefused as error:
        codes = ", ".join(sorted({str(code) for code, _ in error.recipients.values()}))
        raise UndeliveredError(
            say(f"收件人全部被拒（{codes}）", f"every recipient was refused ({codes})")
        ) from None
    except smtplib.SMTPException as error:
        raise UndeliveredError(f"{type(error).__name__}: {error}"[:300]) from None


def formed(to: Mail, letter: Letter) -> EmailMessage:
    """The mail; a line break in a title would be a header of its own, so there is none."""
    message = EmailMessage()
    message["From"] = to.sender
    message["To"] = ", ".join(to.to)
    message["Subject"] = " ".join(letter.title.split())
    message["Date"] = format_datetime(localtime())
    message["Message-ID"] = f"<{letter.id}.smelter@{to.sender.partition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text + "\n", cte="base64")
    return message
