package delivery

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"padron/infra/emulate/edge"
	"padron/infra/release"
)

// service is the service that requests come to, as the account has it.
func (s *story) service(c commit) types.Service {
	s.Helper()
	cluster := c.env.Prefix()
	told, err := ecs.NewFromConfig(s.account.Config(c.env.Region)).DescribeServices(s.Context(),
		&ecs.DescribeServicesInput{Cluster: &cluster, Services: []string{cluster + "-customers-mngr"}})
	if err != nil || len(told.Services) != 1 {
		s.Fatalf("the service: %v, %+v", err, told)
	}
	return told.Services[0]
}

// runs is the revision that the service is to run: a task definition's ARN.
func (s *story) runs(c commit) string {
	s.Helper()
	return aws.ToString(s.service(c).TaskDefinition)
}

// verify is padron-deliver verify, of an account in which the service's last
// deployment ended on the revision.
func (s *story) verify(c commit, revision string, released *Release) error {
	s.Helper()
	account := s.account.Config(c.env.Region)
	account.BaseEndpoint = aws.String(edge.Open(s.T, s.account, edge.Service{Account: s.account, Env: c.env, Revision: revision}.Answers()))
	return release.Verifier{
		Env: c.env, Client: ecs.NewFromConfig(account), Images: released.Images, Poll: time.Millisecond, Patience: time.Minute,
	}.Verify(s.Context())
}
