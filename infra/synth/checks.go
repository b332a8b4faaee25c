package synth

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"
)

// inspect has cdk-nag judge every resource while the app is synthesized. Its
// verdicts are in the environment's folder, PACK-STACK-NagReport.json; a finding
// outside the ledger is also an error on its construct, which stops the cdk
// command from deploying.
func inspect(app awscdk.App) {
	props := &cdknag.NagPackProps{
		Reports:       jsii.Bool(true),
		ReportFormats: &[]cdknag.NagReportFormat{cdknag.NagReportFormat_JSON},
	}
	packs := []awscdk.IAspect{
		cdknag.NewAwsSolutionsChecks(props), cdknag.NewNIST80053R5Checks(props), cdknag.NewPCIDSS321Checks(props),
	}
	for _, pack := range packs {
		awscdk.Aspects_Of(app).Add(pack, nil)
	}
}
