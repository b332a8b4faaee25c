package controls

import (
	"fmt"
	"slices"
	"strings"

	"padron/infra/cfn"
	"padron/infra/config"
)

const (
	typeCluster           = "AWS::RDS::DBCluster"
	typeInstance          = "AWS::RDS::DBInstance"
	typeClusterParameters = "AWS::RDS::DBClusterParameterGroup"
	typeSecret            = "AWS::SecretsManager::Secret" //nolint:gosec // a type's name
	typeLogGroup          = "AWS::Logs::LogGroup"
)

func protected(env *config.Environment) bool  { return env.Protected }
func hasReaders(env *config.Environment) bool { return env.Database.Readers > 0 }

func dataControls() []Control {
	return slices.Concat(clusterControls(), clusterKeepingControls(), clusterLogControls(), instanceControls(), loginControls())
}

// clusterControls are about who reads the database, at rest and on the way.
func clusterControls() []Control {
	return []Control{
		{
			ID: "data.encrypted", What: "the database's storage is encrypted with its own key",
			PCI: []string{"3.5.1"}, NIST: []string{"SC-28"}, CIS: []string{"2.3.1"},
			Check:  both(every(typeCluster, is("true", "StorageEncrypted")), every(typeCluster, keyIs("database", "KmsKeyId"))),
			Remove: set(typeCluster, "KmsKeyId", nil),
		},
		{
			ID: "data.tls-only", What: "the database refuses connections without TLS",
			PCI: []string{"4.2.1"}, NIST: []string{"SC-8", "SC-23"},
			Check:  every(typeClusterParameters, is("ON", "Parameters", "require_secure_transport")),
			Remove: put(typeClusterParameters, "ClusterParameters", "OFF", "Parameters", "require_secure_transport"),
		},
		{
			ID: "data.tls-versions", What: "the database speaks TLS 1.2 and 1.3 and nothing older",
			PCI: []string{"2.2.7", "4.2.1"}, NIST: []string{"SC-8", "SC-13"},
			Check:  every(typeClusterParameters, is("TLSv1.2,TLSv1.3", "Parameters", "tls_version")),
			Remove: put(typeClusterParameters, "ClusterParameters", "TLSv1,TLSv1.1,TLSv1.2,TLSv1.3", "Parameters", "tls_version"),
		},
		{
			ID: "data.no-passwords", What: "services log in to the database by IAM, not with passwords",
			PCI: []string{"8.3.1", "8.6.2"}, NIST: []string{"IA-2", "IA-5"},
			Check:  every(typeCluster, is("true", "EnableIAMDatabaseAuthentication")),
			Remove: set(typeCluster, "EnableIAMDatabaseAuthentication", false),
		},
		{
			ID: "data.admin-password-rotated", What: "RDS makes, rotates and keeps the administrator's password, encrypted with the key of secrets",
			PCI: []string{"8.3.9", "8.6.2", "8.6.3"}, NIST: []string{"IA-5", "SC-28"},
			Check:  both(every(typeCluster, is("true", "ManageMasterUserPassword")), every(typeCluster, keyIs("secrets", "MasterUserSecret", "KmsKeyId"))),
			Remove: set(typeCluster, "ManageMasterUserPassword", false),
		},
	}
}

// clusterKeepingControls are about the database still being there, and sound.
func clusterKeepingControls() []Control {
	return []Control{
		{
			ID: "data.kept", What: "the database is not deleted by mistake",
			NIST: []string{"CP-9", "SI-12"}, Where: protected,
			Check:  every(typeCluster, is("true", "DeletionProtection")),
			Remove: set(typeCluster, "DeletionProtection", false),
		},
		{
			ID: "data.restorable", What: "the database goes back to any point of seven days or more",
			NIST: []string{"CP-9", "CP-10"},
			Check: every(typeCluster, func(r *cfn.Resource) string {
				if days, _ := r.Get("BackupRetentionPeriod").(float64); days < 7 {
					return fmt.Sprintf("BackupRetentionPeriod is %g, want 7 or more", days)
				}
				return ""
			}),
			Remove: set(typeCluster, "BackupRetentionPeriod", float64(1)),
		},
		{
			ID: "data.maintained", What: "the database is of a release that still gets patches, Aurora MySQL 3.10 or newer",
			PCI: []string{"6.3.3"}, NIST: []string{"SI-2"},
			Check: every(typeCluster, func(r *cfn.Resource) string {
				var major, minor int
				_, release, _ := strings.Cut(r.Text("EngineVersion"), "mysql_aurora.")
				if _, err := fmt.Sscanf(release, "%d.%d", &major, &minor); err != nil || major < 3 || major == 3 && minor < 10 {
					return "EngineVersion is " + r.Text("EngineVersion")
				}
				return ""
			}),
			Remove: set(typeCluster, "EngineVersion", "8.0.mysql_aurora.3.04.0"),
		},
		{
			ID: "data.snapshots-tagged", What: "a snapshot tells which environment it is of",
			PCI: []string{"12.5.1"}, NIST: []string{"CM-8"},
			Check:  every(typeCluster, is("true", "CopyTagsToSnapshot")),
			Remove: set(typeCluster, "CopyTagsToSnapshot", false),
		},
	}
}

func clusterLogControls() []Control {
	const events = "CONNECT,QUERY_DCL,QUERY_DDL"
	return []Control{
		{
			ID: "data.audited", What: "the database records who logs in and who changes users, rights and tables",
			PCI: []string{"10.2.1.4", "10.2.1.5", "10.2.1.7"}, NIST: []string{"AU-2", "AU-12"},
			Check: both(every(typeClusterParameters, is("1", "Parameters", "server_audit_logging")),
				every(typeClusterParameters, is(events, "Parameters", "server_audit_events"))),
			Remove: put(typeClusterParameters, "ClusterParameters", "0", "Parameters", "server_audit_logging"),
		},
		{
			ID: "data.logs-exported", What: "the database's logs leave it for where it cannot change them",
			PCI: []string{"10.3.2", "10.3.3"}, NIST: []string{"AU-4", "AU-9"},
			Check: every(typeCluster, func(r *cfn.Resource) string {
				exported := several(r.Get("EnableCloudwatchLogsExports"))
				for _, log := range []string{"audit", "error", "slowquery"} {
					if !slices.Contains(exported, log) {
						return log + " is not exported"
					}
				}
				return ""
			}),
			Remove: set(typeCluster, "EnableCloudwatchLogsExports", []any{"error"}),
		},
		{
			ID: "data.logs-taken", What: "each exported log has a group with a key and an end, made before RDS makes one without",
			PCI: []string{"10.3.1", "10.5.1"}, NIST: []string{"AU-9", "AU-11"},
			Check:  every(typeCluster, exportsWithoutGroup),
			Remove: without(typeLogGroup, "Logaudit"),
		},
	}
}

// exportsWithoutGroup says which exports of the cluster have no log group in its
// stack.
func exportsWithoutGroup(cluster *cfn.Resource) string {
	var missing []string
	for _, log := range several(cluster.Get("EnableCloudwatchLogsExports")) {
		name := "/aws/rds/cluster/" + cluster.Text("DBClusterIdentifier") + "/" + log
		if !slices.ContainsFunc(logGroups(cluster.Stack), func(g *cfn.Resource) bool { return g.Text("LogGroupName") == name }) {
			missing = append(missing, "there is no log group "+name)
		}
	}
	return strings.Join(missing, "; ")
}

func logGroups(s *cfn.Stack) []*cfn.Resource {
	var groups []*cfn.Resource
	for _, r := range s.Resources {
		if r.Type == typeLogGroup {
			groups = append(groups, r)
		}
	}
	return groups
}

func instanceControls() []Control {
	return []Control{
		{
			ID: "data.private", What: "no instance of the database has a public address",
			PCI: []string{"1.4.4"}, NIST: []string{"AC-4", "SC-7"}, CIS: []string{"2.3.3"},
			Check:  every(typeInstance, is("false", "PubliclyAccessible")),
			Remove: set(typeInstance, "PubliclyAccessible", true),
		},
		{
			ID: "data.patched", What: "security patches of the database's minor versions are installed by themselves",
			PCI: []string{"6.3.3"}, NIST: []string{"SI-2"}, CIS: []string{"2.3.2"},
			Check:  every(typeInstance, is("true", "AutoMinorVersionUpgrade")),
			Remove: set(typeInstance, "AutoMinorVersionUpgrade", false),
		},
		{
			ID: "data.measured", What: "the database's machines are measured every minute",
			PCI: []string{"10.7.2"}, NIST: []string{"CA-7", "SI-4"},
			Check:  every(typeInstance, is("60", "MonitoringInterval")),
			Remove: set(typeInstance, "MonitoringInterval", float64(0)),
		},
		{
			ID: "data.statements-encrypted", What: "what is kept of statements for tuning is encrypted with the database's key",
			PCI: []string{"3.5.1"}, NIST: []string{"SC-28"},
			Check:  every(typeInstance, keyIs("database", "PerformanceInsightsKMSKeyId")),
			Remove: set(typeInstance, "PerformanceInsightsKMSKeyId", nil),
		},
		{
			ID: "data.two-zones", What: "no two instances of the database stand in one zone",
			NIST: []string{"CP-10", "SC-36"}, Where: hasReaders,
			Check: func(e *Estate) []string {
				var zones []string
				for _, r := range e.Resources(typeInstance) {
					zones = append(zones, r.Text("AvailabilityZone"))
				}
				slices.Sort(zones)
				if len(zones) < 2 || slices.Contains(zones, "") || len(slices.Compact(slices.Clone(zones))) < len(zones) {
					return []string{"the instances stand in " + strings.Join(zones, ", ")}
				}
				return nil
			},
			Remove: set(typeInstance, "AvailabilityZone", "us-east-1a"),
		},
	}
}

func loginControls() []Control {
	return []Control{
		{
			ID: "data.one-user-a-service", What: "a service logs in to the database as its one user and as nobody else",
			PCI: []string{"7.2.5", "8.2.2"}, NIST: []string{"AC-3", "AC-6"},
			Check:  oneUserEach,
			Remove: alsoTo("ManagerLogin", "synchronizer"),
		},
		{
			ID: "data.admin-migrates-only", What: "the migration reads the administrator's password, and no service does",
			PCI: []string{"7.2.5", "8.6.1"}, NIST: []string{"AC-5", "AC-6"},
			Check:  allowedOnly("secretsmanager:GetSecretValue", "MasterUserSecret.SecretArn", "migration"),
			Remove: alsoTo("MigrationLogin", "customers-mngr"),
		},
		{
			ID: "data.provider-key-synchronizes-only", What: "the provider's key is handed to the synchronizer and to nobody else",
			PCI: []string{"7.2.5"}, NIST: []string{"AC-6"},
			Check:  allowedOnly("secretsmanager:GetSecretValue", "data.ProviderKey", "synchronizer-execution"),
			Remove: alsoTo("ProviderKeyRead", "customers-mngr-execution"),
		},
		{
			ID: "data.secrets-encrypted", What: "every secret is encrypted with the key of secrets, and none stands in a template",
			PCI: []string{"8.3.2", "8.6.2"}, NIST: []string{"IA-5", "SC-28"},
			Check: every(typeSecret, func(r *cfn.Resource) string {
				if r.Get("SecretString") != nil {
					return "its value stands in the template"
				}
				return keyIs("secrets", "KmsKeyId")(r)
			}),
			Remove: set(typeSecret, "KmsKeyId", nil),
		},
	}
}

// oneUserEach checks that the logins are exactly those of the two services to
// this cluster.
func oneUserEach(e *Estate) []string {
	cluster := e.Find(typeCluster, "Cluster")
	if cluster == nil {
		return []string{"there is no " + typeCluster}
	}
	to := fmt.Sprintf("arn:aws:rds-db:%s:%s:dbuser:%s/", e.Env.Region, e.Env.Account, cfn.Reference{Resource: cluster, Attribute: "DBClusterResourceId"})
	want := []string{"customers-mngr on " + to + "padron_customers_mngr", "synchronizer on " + to + "padron_synchronizer"}
	var got []string
	for _, p := range permissions(e, "rds-db:connect") {
		got = append(got, p.String())
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		return []string{fmt.Sprintf("the logins are %q, want %q", got, want)}
	}
	return nil
}

// both joins checks.
func both(checks ...func(*Estate) []string) func(*Estate) []string {
	return func(e *Estate) []string {
		var missing []string
		for _, c := range checks {
			missing = append(missing, c(e)...)
		}
		return missing
	}
}
