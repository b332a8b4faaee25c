package release

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"padron/infra/images"
)

// Scanner waits for Amazon Inspector's scan of images in the registry. It scans
// each platform's image, which the index holds; the index itself it does not.
// It reads which modules, and which Go, a program was built with from the
// program: what the bill of materials lists.
type Scanner struct {
	Client *ecr.Client
	// Poll is how long to wait between two questions, and Patience how long one
	// image's scan may take.
	Poll, Patience time.Duration
}

// Enhanced returns an error unless the registry scans for more than the
// packages of an operating system, of which an image from scratch has none: a
// basic scan of it finds nothing, always.
func (s Scanner) Enhanced(ctx context.Context) error {
	told, err := s.Client.GetRegistryScanningConfiguration(ctx, &ecr.GetRegistryScanningConfigurationInput{})
	if err != nil {
		return fmt.Errorf("how the registry scans: %w", err)
	}
	if c := told.ScanningConfiguration; c == nil || c.ScanType != types.ScanTypeEnhanced {
		return errors.New("the registry does basic scans, which see nothing in an image from scratch: the stack registry sets enhanced scanning; deploy it")
	}
	return nil
}

// Findings waits until every platform of the image in the repository is scanned
// and returns what was found. A scan that does not end, or that ended without
// having looked, is an error: nothing that was not scanned is released.
func (s Scanner) Findings(ctx context.Context, repository string, b images.Built) ([]Finding, error) {
	var all []Finding
	for _, arch := range images.Architectures {
		ctx, cancel := context.WithTimeoutCause(ctx, s.Patience, fmt.Errorf("the scan has not ended in %v: look at Amazon Inspector in the account, then try again", s.Patience))
		found, err := s.platform(ctx, repository, b.Platforms[arch])
		cancel()
		if err != nil {
			return nil, fmt.Errorf("%s for %s: %w", b.Name, arch, err)
		}
		for _, f := range found {
			all = append(all, findings(f, b.Name, arch)...)
		}
	}
	return all, nil
}

// platform waits for one image's scan and returns its pages.
func (s Scanner) platform(ctx context.Context, repository, digest string) ([]types.EnhancedImageScanFinding, error) {
	in := &ecr.DescribeImageScanFindingsInput{RepositoryName: &repository, ImageId: &types.ImageIdentifier{ImageDigest: &digest}}
	for {
		out, err := s.Client.DescribeImageScanFindings(ctx, in)
		if err != nil && ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		done, err := ended(out, err)
		if err != nil {
			return nil, err
		}
		if done {
			return s.pages(ctx, in, out)
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(s.Poll):
		}
	}
}

// ended reports whether the scan has looked at the image. ACTIVE is an image
// that is scanned again whenever something new is known: it counts from its
// first scan on.
func ended(out *ecr.DescribeImageScanFindingsOutput, err error) (bool, error) {
	if _, early := errors.AsType[*types.ScanNotFoundException](err); early {
		return false, nil // the scanner has not seen it yet
	}
	if err != nil {
		return false, err
	}
	if out.ImageScanStatus == nil {
		return false, nil
	}
	switch status := out.ImageScanStatus.Status; status {
	case types.ScanStatusPending, types.ScanStatusInProgress:
		return false, nil
	case types.ScanStatusActive, types.ScanStatusComplete:
		return out.ImageScanFindings != nil && out.ImageScanFindings.ImageScanCompletedAt != nil, nil
	case types.ScanStatusUnsupportedImage:
		return false, fmt.Errorf("the scanner does not know this kind of image (%s), so nobody has looked at it: it is not released", describe(out))
	default:
		return false, fmt.Errorf("the scan ended as %s (%s): nobody has looked at the image, so it is not released", status, describe(out))
	}
}

func describe(out *ecr.DescribeImageScanFindingsOutput) string {
	if text := aws.ToString(out.ImageScanStatus.Description); text != "" {
		return text
	}
	return "no reason is given"
}

// pages are the findings of the first answer and of those after it.
func (s Scanner) pages(ctx context.Context, in *ecr.DescribeImageScanFindingsInput, out *ecr.DescribeImageScanFindingsOutput) ([]types.EnhancedImageScanFinding, error) {
	all := out.ImageScanFindings.EnhancedFindings
	if len(out.ImageScanFindings.Findings) > 0 {
		return nil, errors.New("these are findings of a basic scan, which does not look into programs: the stack registry sets enhanced scanning; deploy it")
	}
	for out.NextToken != nil {
		next := *in
		next.NextToken = out.NextToken
		var err error
		if out, err = s.Client.DescribeImageScanFindings(ctx, &next); err != nil {
			return nil, err
		}
		if out.ImageScanFindings != nil {
			all = append(all, out.ImageScanFindings.EnhancedFindings...)
		}
	}
	return all, nil
}

// findings are one for each package that the scanner's finding names. One that a
// rule of Inspector's suppresses counts like any other: what may pass stands in
// the repository alone.
func findings(f types.EnhancedImageScanFinding, image, arch string) []Finding {
	if aws.ToString(f.Status) == "CLOSED" {
		return nil
	}
	one := Finding{ID: aws.ToString(f.Title), Severity: strings.ToUpper(aws.ToString(f.Severity)), Image: image, Platform: arch}
	details := f.PackageVulnerabilityDetails
	if details == nil {
		return []Finding{one}
	}
	if id := aws.ToString(details.VulnerabilityId); id != "" {
		one.ID = id
	}
	if len(details.VulnerablePackages) == 0 {
		return []Finding{one}
	}
	var all []Finding
	for _, p := range details.VulnerablePackages {
		each := one
		each.Package, each.Version = aws.ToString(p.Name), aws.ToString(p.Version)
		if fixed := aws.ToString(p.FixedInVersion); fixed != "NotAvailable" {
			each.Fixed = fixed
		}
		all = append(all, each)
	}
	return all
}
