"""The two admin sites. Apps register with the one their tables belong to."""

from unfold.sites import UnfoldAdminSite


class TenantAdminSite(UnfoldAdminSite):
    """Configuration of one tenant, on the tenant's host, for its staff users."""


class OperatorAdminSite(UnfoldAdminSite):
    """Tenants, domains and periodic tasks, on the public host, for operators only."""


tenant_admin = TenantAdminSite(name="admin")
operator_admin = OperatorAdminSite(name="operator")
