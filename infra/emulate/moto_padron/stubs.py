"""Types that moto has no service for: nothing stands behind these."""

from moto_padron.kind import Stub

ALL = (
    Stub("AWS::Route53Resolver::FirewallRuleGroup", "rslvr-frg-{token}", {
        "Id": "rslvr-frg-{token}", "Arn": "arn:aws:route53resolver:{region}:{account}:firewall-rule-group/rslvr-frg-{token}",
    }),
    Stub("AWS::Route53Resolver::FirewallRuleGroupAssociation", "rslvr-frgassoc-{token}", {"Id": "rslvr-frgassoc-{token}"}),
    Stub("AWS::Backup::BackupSelection", "{token}", {"SelectionId": "{token}"}),
    Stub("AWS::Backup::LogicallyAirGappedBackupVault", "{name}", {
        "BackupVaultArn": "arn:aws:backup:{region}:{account}:backup-vault:{name}",
    }, name="BackupVaultName"),
    Stub("AWS::Backup::RestoreTestingPlan", "{name}", {
        "RestoreTestingPlanArn": "arn:aws:backup:{region}:{account}:restore-testing-plan:{name}",
    }, name="RestoreTestingPlanName"),
    Stub("AWS::Backup::RestoreTestingSelection", "{name}", name="RestoreTestingSelectionName"),
    Stub("AWS::SecurityHub::Standard", "arn:aws:securityhub:{region}:{account}:subscription/{token}"),
    Stub("AWS::AccessAnalyzer::Analyzer", "arn:aws:access-analyzer:{region}:{account}:analyzer/{name}", {
        "Arn": "arn:aws:access-analyzer:{region}:{account}:analyzer/{name}",
    }, name="AnalyzerName"),
    Stub("AWS::CE::AnomalyMonitor", "arn:aws:ce::{account}:anomalymonitor/{token}", {
        "MonitorArn": "arn:aws:ce::{account}:anomalymonitor/{token}",
    }),
    Stub("AWS::CE::AnomalySubscription", "arn:aws:ce::{account}:anomalysubscription/{token}"),
    Stub("AWS::CloudWatch::CompositeAlarm", "{name}", {
        "Arn": "arn:aws:cloudwatch:{region}:{account}:alarm:{name}",
    }, name="AlarmName"),
)
