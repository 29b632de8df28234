"""How a tenant's server signs who is looking: to be copied."""

PYTHON = """import hashlib, hmac
secret = "{secret}"
signature = hmac.new(secret.encode(), external_id.encode(), hashlib.sha256).hexdigest()"""
PHP = "$signature = hash_hmac('sha256', $externalId, '{secret}');"
NODE = """import {{ createHmac }} from "node:crypto";
const secret = "{secret}";
const signature = createHmac("sha256", secret).update(externalId).digest("hex");"""
HTML = """<script async src="{home}/embed.js"
  data-external-id="customer-42"
  data-signature="…">
</script>"""


def snippets(*, secret: str, home: str) -> dict[str, str]:
    """Ready to be pasted, by language."""
    values = {"secret": secret, "home": home}
    return {
        "python": PYTHON.format(**values),
        "php": PHP.format(**values),
        "node": NODE.format(**values),
        "html": HTML.format(**values),
    }
