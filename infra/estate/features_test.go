package estate_test

import (
	"testing"

	"padron/infra/config"
	"padron/infra/synthtest"
)

// TestFeatures holds the switches to their word: off is no resource, on is one.
func TestFeatures(t *testing.T) {
	features := []struct {
		name string
		on   func(*config.Environment) bool
		// types are there exactly where the feature is on.
		types []string
	}{
		{"local_trail", func(e *config.Environment) bool { return e.Features.LocalTrail }, []string{"AWS::CloudTrail::Trail", "AWS::Logs::MetricFilter"}},
		{"guardduty", func(e *config.Environment) bool { return e.Features.GuardDuty }, []string{"AWS::GuardDuty::Detector"}},
		{"security_hub", func(e *config.Environment) bool { return e.Features.SecurityHub },
			[]string{"AWS::SecurityHub::Hub", "AWS::SecurityHub::Standard", "AWS::Config::ConfigurationRecorder", "AWS::Config::DeliveryChannel", "AWS::IAM::ServiceLinkedRole"}},
		{"air_gapped_vault", func(e *config.Environment) bool { return e.Features.AirGappedVault }, []string{"AWS::Backup::LogicallyAirGappedBackupVault"}},
		{"restore_test", func(e *config.Environment) bool { return e.Features.RestoreTest },
			[]string{"AWS::Backup::RestoreTestingPlan", "AWS::Backup::RestoreTestingSelection"}},
		{"transit_gateway", func(e *config.Environment) bool { return e.Features.TransitGateway },
			[]string{"AWS::EC2::TransitGatewayVpcAttachment", "AWS::EC2::CustomerGateway", "AWS::EC2::VPNConnection"}},
		{"private_link", func(e *config.Environment) bool { return e.Features.PrivateLink },
			[]string{"AWS::EC2::VPCEndpointService", "AWS::EC2::VPCEndpointServicePermissions"}},
	}
	for _, name := range synthtest.Environments(t) {
		env, estate := synthtest.Config(t, name), synthtest.Load(t, name)
		for _, f := range features {
			for _, typ := range f.types {
				if got := len(estate.Resources(typ)); (got > 0) != f.on(env) {
					t.Errorf("%s: %s is %t, and there are %d of %s", name, f.name, f.on(env), got, typ)
				}
			}
		}
		if role := estate.Find("AWS::IAM::Role", "posture"); (role != nil) != (env.Features.PostureAccount != "") {
			t.Errorf("%s: posture_account is %q, and the role is %v", name, env.Features.PostureAccount, role)
		}
		if stack := estate.Stack("transit"); stack == nil && (env.Features.TransitGateway || env.Features.PrivateLink) {
			t.Errorf("%s: there is no stack transit", name)
		}
		for _, v := range estate.Resources("AWS::Backup::BackupVault") {
			if locked := v.Get("LockConfiguration") != nil; locked != env.Features.VaultLock {
				t.Errorf("%s: vault_lock is %t, and %s is locked: %t", name, env.Features.VaultLock, v, locked)
			}
		}
	}
}
