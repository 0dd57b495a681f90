"""A trust anchor and a SPID- or CIE-profile OpenID provider on loopback.

One process holds the whole federation that the hub's relying-party code needs:

* the trust anchor at ``http://127.0.0.1:PORT``: entity configuration, fetch,
  list, trust mark status;
* below it the identity provider at ``http://127.0.0.1:PORT/oidc/op``:
  authorization, token, userinfo, introspection, revocation.

The relying parties to register are given on the command line, each by its
entity id and a file with its public federation JWKS, which
``registro-hub federation keys`` prints::

    python federation.py --profile spid --port 8100 \\
        --rp http://127.0.0.1:8010 hub-federation-jwks.json

More people than the invented ones below come from ``--people FILE``, a JSON
list of objects with ``username``, ``given_name``, ``family_name``,
``birthdate`` and ``fiscal_code``. Everybody's password is ``prova``.

Keys are made when the database is made. Without ``--db`` the database lives in
a temporary folder and goes away with the process.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

HOST = "127.0.0.1"
PASSWORD = "prova"
FISCAL_NUMBER = "https://attributes.eid.gov.it/fiscal_number"
LEVELS = [f"https://www.spid.gov.it/SpidL{level}" for level in (1, 2, 3)]

SIGNING = ["RS256", "RS512", "ES256"]
KEY_ENCRYPTION = ["RSA-OAEP", "RSA-OAEP-256"]
CONTENT_ENCRYPTION = ["A128CBC-HS256", "A256CBC-HS512"]

THIRTY_DAYS = 30 * 24 * 60 * 60

# What the trust anchor imposes on the entities below it. The provider declares
# one content encryption too many, so a relying party that does not apply the
# policy can be told from one that does.
METADATA_POLICY = {
    "openid_relying_party": {
        "grant_types": {"subset_of": ["authorization_code", "refresh_token"]},
        "userinfo_encrypted_response_alg": {"one_of": KEY_ENCRYPTION},
        "userinfo_encrypted_response_enc": {"one_of": CONTENT_ENCRYPTION},
    },
    "openid_provider": {
        "subject_types_supported": {"value": ["pairwise"]},
        "userinfo_encryption_enc_values_supported": {"subset_of": CONTENT_ENCRYPTION},
    },
    "federation_entity": {},
    "oauth_resource": {},
}

# Invented people: username -> given name, family name, birth date, fiscal code.
# `genitore2` is the same person as `genitore` with the name spelled differently.
PEOPLE = {
    "docente": ("Anna", "Verdi", "1975-05-10", "VRDNNA75E50F205X"),
    "genitore": ("Mario", "Rossi", "1980-01-01", "RSSMRA80A01H501U"),
    "genitore2": ("Mario Luigi", "Rossi", "1980-01-01", "RSSMRA80A01H501U"),
    "studente": ("Giulia", "Bianchi", "2010-01-01", "BNCGLI10A41H501J"),
    "alunno": ("Luca", "Neri", "2014-03-15", "NRELCU14C15L219N"),
}

# Django reads its routes from this name; main() fills it.
urlpatterns = []


def main():
    options = parse_options()
    # The package mixes local and UTC times: with any other zone tokens are
    # born expired.
    os.environ["TZ"] = "UTC"
    time.tzset()
    # Leave through the context manager, so that the temporary database goes.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))

    anchor = f"http://{HOST}:{options.port}"
    with database_file(options.db) as path:
        start_django(options, anchor, path)
        if is_empty():
            create_federation(anchor, options.profile)
            create_people(PEOPLE)
            if options.people:
                create_people(read_people(options.people))
        for entity_id, jwks_file in options.rp:
            register_relying_party(anchor, entity_id, read_public_keys(jwks_file))
        urlpatterns.extend(routes())
        serve(options.port, anchor)


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--profile", choices=["spid", "cie"], default="spid")
    parser.add_argument("--port", type=int, default=8100)
    parser.add_argument(
        "--rp",
        nargs=2,
        action="append",
        default=[],
        metavar=("ENTITY_ID", "JWKS_FILE"),
        help="relying party to register; may be repeated",
    )
    parser.add_argument(
        "--people", type=Path, help="JSON file with more people who can log in"
    )
    parser.add_argument(
        "--db",
        type=Path,
        help="sqlite file to make, or to use again (default: a temporary one)",
    )
    return parser.parse_args()


@contextmanager
def database_file(given):
    if given:
        yield given.resolve()
    else:
        with tempfile.TemporaryDirectory(prefix="federation-") as folder:
            yield Path(folder) / "federation.sqlite3"


def read_people(file):
    return {
        person["username"]: (
            person["given_name"],
            person["family_name"],
            person["birthdate"],
            person["fiscal_code"],
        )
        for person in json.loads(file.read_text())
    }


def read_public_keys(jwks_file):
    """Accepts a JWKS object or a bare list of keys."""
    content = json.loads(Path(jwks_file).read_text())
    keys = content["keys"] if isinstance(content, dict) else content
    if any("d" in key for key in keys):
        sys.exit(f"{jwks_file} holds private keys: give public ones")
    return keys


# --------------------------------------------------------------------- Django


def start_django(options, anchor, database):
    import aiohttp
    import django
    from django.conf import settings
    from django.core.management import call_command

    settings.configure(
        DEBUG=True,
        SECRET_KEY=os.urandom(32).hex(),
        ALLOWED_HOSTS=[HOST],
        ROOT_URLCONF=__name__,
        APPEND_SLASH=False,
        STATIC_URL="static/",
        USE_TZ=True,
        TIME_ZONE="UTC",
        AUTH_USER_MODEL="spid_cie_oidc_accounts.User",
        # A school's people log in one after the other in a test, and everybody's
        # password is known: it need not be slow to check.
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": str(database),
            }
        },
        INSTALLED_APPS=[
            "spid_cie_oidc.accounts",
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.messages",
            "django.contrib.staticfiles",
            "bootstrap_italia_template",
            "spid_cie_oidc.entity",
            "spid_cie_oidc.authority",
            "spid_cie_oidc.provider",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ]
                },
            }
        ],
        LOGGING={
            "version": 1,
            "disable_existing_loggers": False,
            "handlers": {"stderr": {"class": "logging.StreamHandler"}},
            "root": {"handlers": ["stderr"], "level": "WARNING"},
        },
        # Settings of the spid-cie-oidc package.
        OIDCFED_DEFAULT_TRUST_ANCHOR=anchor,
        OIDCFED_TRUST_ANCHORS=[anchor],
        OIDCFED_REQUIRED_TRUST_MARKS=[trust_mark_type(anchor, "openid_relying_party")],
        OIDCFED_PROVIDER_PROFILE=options.profile,
        OIDCFED_PROVIDER_SALT="prova",
        # SPID counts refreshes, CIE limits their time: allow plenty of both.
        OIDCFED_PROVIDER_MAX_REFRESH=1000,
        OIDCFED_PROVIDER_MAX_CONSENT_TIMEFRAME=THIRTY_DAYS,
        FEDERATION_DEFAULT_POLICY=METADATA_POLICY,
        HTTPC_PARAMS={
            "connection": {"ssl": True},
            "session": {"timeout": aiohttp.ClientTimeout(total=4)},
        },
    )
    django.setup()
    read_locales_as_the_rules_write_them()
    call_command("migrate", verbosity=0)


def read_locales_as_the_rules_write_them():
    """The rules write ``ui_locales`` as text with spaces (OpenID Connect Core
    3.1.2.1); the package takes a JSON list only."""
    from spid_cie_oidc.provider.views.authz_request_view import AuthzRequestView

    as_lists = AuthzRequestView.string_to_list
    AuthzRequestView.string_to_list = lambda view, payload, names: as_lists(
        view, payload, [*names, "ui_locales"]
    )


def routes():
    from django.urls import path
    from spid_cie_oidc.authority.urls import urlpatterns as authority
    from spid_cie_oidc.entity.urls import urlpatterns as entity
    from spid_cie_oidc.entity.views import (
        entity_configuration,
        resolve_entity_statement,
    )
    from spid_cie_oidc.provider.urls import urlpatterns as provider

    return [
        *entity,
        *authority,
        *provider,
        # The provider's own federation endpoints, beside the anchor's.
        path(
            "oidc/op/.well-known/openid-federation",
            entity_configuration,
            name="provider_entity_configuration",
        ),
        path("oidc/op/resolve", resolve_entity_statement, name="provider_resolve"),
    ]


def serve(port, anchor):
    from django.core.servers.basehttp import run
    from django.core.wsgi import get_wsgi_application

    # Threads are needed: while it serves a login the provider asks the anchor,
    # that is this same server, for the relying party's statement.
    run(
        HOST,
        port,
        get_wsgi_application(),
        threading=True,
        on_bind=lambda _: print(f"ready {anchor} {provider_id(anchor)}", flush=True),
    )


# ----------------------------------------------------------------- federation


def provider_id(anchor):
    return f"{anchor}/oidc/op"


def trust_mark_type(anchor, entity_type):
    return f"{anchor}/{entity_type}/public/"


def is_empty():
    from spid_cie_oidc.entity.models import FederationEntityConfiguration

    return not FederationEntityConfiguration.objects.exists()


def create_federation(anchor, profile):
    # The anchor comes first: the package takes the first entity it finds that
    # has federation_entity metadata to be the trust anchor.
    create_trust_anchor(anchor)
    create_provider(anchor, profile)


def create_trust_anchor(anchor):
    from spid_cie_oidc.authority.models import FederationEntityProfile
    from spid_cie_oidc.entity.models import FederationEntityConfiguration

    FederationEntityConfiguration.objects.create(
        sub=anchor,
        entity_type="federation_entity",
        is_active=True,
        constraints={"max_path_length": 1},
        trust_mark_issuers={
            trust_mark_type(anchor, "openid_relying_party"): [anchor],
            trust_mark_type(anchor, "openid_provider"): [anchor],
        },
        metadata={
            "federation_entity": {
                **organisation(anchor, "Federazione di prova"),
                "federation_fetch_endpoint": f"{anchor}/fetch",
                "federation_list_endpoint": f"{anchor}/list",
                "federation_trust_mark_status_endpoint": f"{anchor}/trust_mark_status",
            }
        },
    )
    for entity_type in ("openid_relying_party", "openid_provider"):
        mark = trust_mark_type(anchor, entity_type)
        FederationEntityProfile.objects.create(
            name=entity_type,
            profile_category=entity_type,
            profile_id=mark,
            # `id` is the member name of the Italian rules; the package adds
            # `trust_mark_type`, the name in the final specification.
            trust_mark_template={"id": mark, "organization_type": "public"},
        )


def create_provider(anchor, profile):
    from spid_cie_oidc.entity.jwks import create_jwk, public_jwk_from_private_jwk
    from spid_cie_oidc.entity.models import FederationEntityConfiguration

    sub = provider_id(anchor)
    signing_key = {**create_jwk(), "use": "sig"}
    public_key = {**public_jwk_from_private_jwk(signing_key), "use": "sig"}
    provider = FederationEntityConfiguration.objects.create(
        sub=sub,
        entity_type="openid_provider",
        is_active=True,
        authority_hints=[anchor],
        jwks_core=[signing_key],
        metadata={
            "federation_entity": organisation(sub, "Gestore di prova"),
            "openid_provider": provider_metadata(sub, profile, public_key),
        },
    )
    register(anchor, sub, "openid_provider", provider.public_jwks)


def provider_metadata(sub, profile, public_key):
    extra_scopes = ["profile", "email"] if profile == "cie" else []
    return {
        "issuer": sub,
        "organization_name": "Gestore di prova",
        "jwks": {"keys": [public_key]},
        "authorization_endpoint": f"{sub}/authorization",
        "token_endpoint": f"{sub}/token",
        "userinfo_endpoint": f"{sub}/userinfo",
        "introspection_endpoint": f"{sub}/introspection",
        "revocation_endpoint": f"{sub}/revocation",
        "client_registration_types_supported": ["automatic"],
        "request_authentication_methods_supported": {
            "authorization_endpoint": ["request_object"]
        },
        "scopes_supported": ["openid", "offline_access", *extra_scopes],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "form_post"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "acr_values_supported": LEVELS,
        "subject_types_supported": ["pairwise"],
        "claims_supported": [
            "given_name",
            "family_name",
            "birthdate",
            "email",
            FISCAL_NUMBER,
        ],
        "claims_parameter_supported": True,
        "request_parameter_supported": True,
        "authorization_response_iss_parameter_supported": True,
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": SIGNING,
        "revocation_endpoint_auth_methods_supported": ["private_key_jwt"],
        "request_object_signing_alg_values_supported": SIGNING,
        "request_authentication_signing_alg_values_supported": SIGNING,
        "request_object_encryption_alg_values_supported": KEY_ENCRYPTION,
        "request_object_encryption_enc_values_supported": CONTENT_ENCRYPTION,
        "id_token_signing_alg_values_supported": SIGNING,
        "id_token_encryption_alg_values_supported": KEY_ENCRYPTION,
        "id_token_encryption_enc_values_supported": CONTENT_ENCRYPTION,
        "userinfo_signing_alg_values_supported": SIGNING,
        "userinfo_encryption_alg_values_supported": KEY_ENCRYPTION,
        "userinfo_encryption_enc_values_supported": [*CONTENT_ENCRYPTION, "A256GCM"],
    }


def register_relying_party(anchor, entity_id, federation_keys):
    register(anchor, entity_id, "openid_relying_party", federation_keys)


def register(anchor, entity_id, entity_type, federation_keys):
    """Make the entity a subordinate of the anchor and give it its trust mark."""
    from spid_cie_oidc.authority.models import (
        FederationDescendant,
        FederationEntityAssignedProfile,
        FederationEntityProfile,
    )
    from spid_cie_oidc.entity.models import FederationEntityConfiguration

    descendant, _ = FederationDescendant.objects.update_or_create(
        sub=entity_id,
        defaults={
            "name": entity_type,
            "type": entity_type,
            "jwks": federation_keys,
            "status": "valid",
            "is_active": True,
        },
    )
    FederationEntityAssignedProfile.objects.get_or_create(
        descendant=descendant,
        profile=FederationEntityProfile.objects.get(name=entity_type),
        issuer=FederationEntityConfiguration.objects.get(sub=anchor),
    )


def create_people(people):
    from spid_cie_oidc.accounts.models import User

    for username, (given_name, family_name, birthdate, fiscal_code) in people.items():
        email = f"{username}@example.it"
        User.objects.create_user(
            username=username,
            password=PASSWORD,
            first_name=given_name,
            last_name=family_name,
            email=email,
            # Keyed by the claim name exactly as a relying party asks for it.
            attributes={
                "given_name": given_name,
                "family_name": family_name,
                "birthdate": birthdate,
                "email": email,
                FISCAL_NUMBER: f"TINIT-{fiscal_code}",
            },
        )


def organisation(entity_id, name):
    return {
        "organization_name": name,
        "homepage_uri": entity_id,
        "policy_uri": f"{entity_id}/policy",
        "logo_uri": f"{entity_id}/logo.svg",
        "contacts": ["pec@example.it"],
        "federation_resolve_endpoint": f"{entity_id}/resolve",
    }


if __name__ == "__main__":
    main()
