package emulate_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
)

// digests are the images that the environment runs, by program.
func (d *deployed) digests() map[string]string {
	return map[string]string{
		"customers-mngr": d.env.Images.Manager, "synchronizer": d.env.Images.Synchronizer, "migration": d.env.Images.Padron,
	}
}

// task returns the newest task definition of a program.
func (d *deployed) task(t testing.TB, program string) *types.TaskDefinition {
	t.Helper()
	return must(d.in(d.env.Region).ecs.DescribeTaskDefinition(t.Context(), &ecs.DescribeTaskDefinitionInput{
		TaskDefinition: aws.String(d.env.Prefix() + "-" + program),
	}))(t).TaskDefinition
}

// auditTasks: each program runs on ARM, from the image with the configured
// digest, as nobody, with nothing to write to, its output logged.
func (d *deployed) auditTasks(t testing.TB) {
	for program, digest := range d.digests() {
		task := d.task(t, program)
		same(t, "the network of "+program, task.NetworkMode, types.NetworkModeAwsvpc)
		if task.RuntimePlatform == nil || task.RuntimePlatform.CpuArchitecture != types.CPUArchitectureArm64 {
			t.Errorf("%s runs on %+v, want ARM64", program, task.RuntimePlatform)
		}
		for _, c := range task.ContainerDefinitions {
			name := program + "/" + str(c.Name)
			if !strings.HasSuffix(str(c.Image), "@"+digest) {
				t.Errorf("%s runs %s, want the digest %s", name, str(c.Image), digest)
			}
			same(t, "the user of "+name, str(c.User), "65532:65532")
			same(t, "a read-only root of "+name, aws.ToBool(c.ReadonlyRootFilesystem), true)
			if c.LogConfiguration == nil || c.LogConfiguration.LogDriver != types.LogDriverAwslogs {
				t.Errorf("%s logs to %+v, want CloudWatch", name, c.LogConfiguration)
			}
		}
	}
}

// auditService: customers-mngr runs its newest task in the private subnets
// behind the load balancer, and nobody opens a shell in one.
func (d *deployed) auditService(t testing.TB) {
	services := must(d.in(d.env.Region).ecs.DescribeServices(t.Context(), &ecs.DescribeServicesInput{
		Cluster: aws.String(d.env.Prefix()), Services: []string{d.env.Prefix() + "-customers-mngr"},
	}))(t).Services
	if len(services) != 1 {
		t.Fatalf("there are %d services customers-mngr, want 1", len(services))
	}
	s := services[0]
	same(t, "the service's task", str(s.TaskDefinition), str(d.task(t, "customers-mngr").TaskDefinitionArn))
	same(t, "a shell in a task", s.EnableExecuteCommand, false)
	same(t, "the number of ways to the service", len(s.LoadBalancers), 1)
	network := s.NetworkConfiguration.AwsvpcConfiguration
	same(t, "a task's public address", network.AssignPublicIp, types.AssignPublicIpDisabled)
	slices.Sort(network.Subnets)
	if !slices.Equal(network.Subnets, d.privateSubnets(t)) {
		t.Errorf("tasks are in %v, want the private subnets %v", network.Subnets, d.privateSubnets(t))
	}
}

// auditSchedule: runs begin as configured, and what cannot be started is tried
// again and set aside. Every schedule is encrypted.
func (d *deployed) auditSchedule(t testing.TB) {
	client, found := d.in(d.env.Region).scheduler, false
	for _, of := range must(client.ListSchedules(t.Context(), &scheduler.ListSchedulesInput{}))(t).Schedules {
		s := must(client.GetSchedule(t.Context(), &scheduler.GetScheduleInput{Name: of.Name, GroupName: of.GroupName}))(t)
		same(t, "the key of the schedule "+str(s.Name), keyOf(str(s.KmsKeyArn)), d.key(t, d.env.Region, "messages"))
		if str(s.Name) != d.env.Prefix()+"-synchronizer" {
			continue
		}
		found = true
		same(t, "the schedule of runs", str(s.ScheduleExpression), d.env.Synchronizer.Schedule)
		if s.Target.DeadLetterConfig == nil || s.Target.RetryPolicy == nil {
			t.Errorf("the schedule's target has no second try or no dead letters: %+v", s.Target)
		}
	}
	same(t, "a schedule of runs", found, true)
}
