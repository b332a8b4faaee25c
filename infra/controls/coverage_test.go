package controls_test

import (
	"testing"

	"padron/infra/controls"
)

// coverage is every part of the estate whose settings are decisions, with
// controls that stand for it. A row that loses its controls is a setting that
// nothing guards.
var coverage = map[string][]string{
	"subnets give no addresses, public ones hold NAT": {"network.no-public-addresses", "reach.public-holds-nat", "network.address-plan"},
	"a NAT gateway a zone":                            {"reach.routes-by-zone", "network.nat-fixed-address", "network.table-each"},
	"endpoints":                                       {"network.s3-endpoint", "network.endpoints-all", "network.endpoints-guarded", "network.endpoints-by-name"},
	"flow logs and a closed default group":            {"network.flow-logs", "network.logs-kept", "network.logs-encrypted", "network.default-group-closed"},
	"DNS firewall with a log":                         {"network.dns-firewall", "network.dns-logged"},
	"load balancer":                                   {"edge.internal", "edge.https-only", "edge.tls13", "edge.encrypted-to-the-task", "edge.sick-tasks-left-out", "edge.firewall", "edge.floods-stopped", "reach.balancer-sources"},
	"containers":                                      {"services.not-root", "services.read-only", "services.images-by-digest", "services.no-exec", "services.measured", "services.scaled", "services.blue-green", "services.circuit-breaker"},
	"synchronizer on its schedule":                    {"services.starts-kept", "services.starts-one-task", "services.divided-runs-logged", "observability.freshness"},
	"database":                                        {"data.encrypted", "data.tls-only", "data.one-user-a-service", "data.two-zones", "data.logs-exported", "data.restorable", "data.kept", "data.audited"},
	"database credentials":                            {"data.admin-password-rotated", "data.admin-migrates-only", "data.no-passwords"},
	"keys": {"keys.rotated", "keys.one-a-kind", "keys.synchronizer-cannot-open", "keys.customers-denied", "keys.purposes",
		"keys.administrators-use-nothing", "keys.one-region"},
	"names and certificates": {"names.private", "names.one-issuer", "edge.certified"},
	"registry":               {"registry.immutable", "registry.encrypted", "registry.scanned-continuously", "registry.cleaned"},
	"bastion":                {"bastion.no-way-in", "bastion.metadata", "bastion.only-sessions", "bastion.sessions-kept", "bastion.one-command", "bastion.tokens-stay", "bastion.checked-by-deploy", "reach.bastion-closed", "reach.bastion-no-database"},
	"trail":                  {"audit.trail-everywhere", "audit.trail-validated", "audit.trail-encrypted", "audit.trail-locked", "audit.trail-handed-over"},
	"threat detection":       {"audit.threats", "audit.threats-told"},
	"standards and posture":  {"audit.standards", "audit.settings-recorded", "audit.posture-by-external-id"},
	"backups":                {"backup.planned", "backup.locked", "backup.copied-away", "backup.air-gapped", "backup.restore-tested"},
	"ways in for consumers":  {"transit.routes-declared", "transit.vpn-strong", "transit.link-internal", "transit.nobody-unasked"},
	"alarms and spending":    {"observability.objectives", "observability.budget", "observability.anomaly", "observability.somebody-is-told"},
	"segmentation, proven":   {"reach.database-sources", "reach.nothing-from-internet", "reach.balancer-sources", "reach.routes-by-zone", "reach.bastion-closed", "reach.public-holds-nat"},
}

func TestEveryRowIsGuarded(t *testing.T) {
	known := map[string]bool{}
	for _, c := range controls.All() {
		known[c.ID] = true
	}
	for row, ids := range coverage {
		for _, id := range ids {
			if !known[id] {
				t.Errorf("%s: there is no control %s", row, id)
			}
		}
	}
}
