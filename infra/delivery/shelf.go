package delivery

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"padron/infra/cfn"
	"padron/infra/config"
)

// Shelf keeps an environment's releases in its account: the record in
// releases/REVISION/release.json, and in releases/files/SHA256 the templates and
// the description of the environment that it names. Only the role that deploys
// may add to it, and a record is never written again.
type Shelf struct {
	bucket string
	client *s3.Client
}

// Bucket is where the environment's releases are.
func Bucket(env *config.Environment) string {
	return env.Prefix() + "-releases-" + env.Account
}

// NewShelf opens the environment's shelf.
func NewShelf(env *config.Environment, c aws.Config) *Shelf {
	return &Shelf{bucket: Bucket(env), client: objects(c)}
}

// errNoShelf is an account in which the stack delivery is not there yet.
var errNoShelf = errors.New("there is no bucket for releases: the stack delivery makes it on the first day (docs/deploy.md)")

const recordName = "release.json"

func recordKey(revision int) string { return fmt.Sprintf("releases/%06d/%s", revision, recordName) }

// fileKey names a file by what is in it: no release can spoil another's.
func fileKey(hash string) string { return "releases/files/" + hash }

// Last returns the last release, nil where there is none yet.
func (s *Shelf) Last(ctx context.Context) (*Release, error) {
	revisions, err := s.Revisions(ctx)
	if err != nil || len(revisions) == 0 {
		return nil, err
	}
	return s.Get(ctx, revisions[len(revisions)-1])
}

// Revisions are all that were released, in order.
func (s *Shelf) Revisions(ctx context.Context) ([]int, error) {
	var all []int
	pages := s3.NewListObjectsV2Paginator(s.client, &s3.ListObjectsV2Input{Bucket: &s.bucket, Prefix: aws.String("releases/")})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if missing := (*types.NoSuchBucket)(nil); errors.As(err, &missing) {
			return nil, errNoShelf
		}
		if err != nil {
			return nil, fmt.Errorf("releases in %s: %w", s.bucket, err)
		}
		for _, o := range page.Contents {
			if number, ok := strings.CutSuffix(strings.TrimPrefix(aws.ToString(o.Key), "releases/"), "/"+recordName); ok {
				if n, err := strconv.Atoi(number); err == nil {
					all = append(all, n)
				}
			}
		}
	}
	slices.Sort(all)
	return all, nil
}

// Get returns the release, checked.
func (s *Shelf) Get(ctx context.Context, revision int) (*Release, error) {
	text, err := read(ctx, s.client, s.bucket, recordKey(revision))
	if missing := (*types.NoSuchKey)(nil); errors.As(err, &missing) {
		return nil, fmt.Errorf("there is no release %d in %s", revision, s.bucket)
	}
	if err != nil {
		return nil, fmt.Errorf("release %d in %s: %w", revision, s.bucket, err)
	}
	r := &Release{}
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("release %d in %s: %w", revision, s.bucket, err)
	}
	if err := r.Check(); err != nil {
		return nil, fmt.Errorf("release %d in %s: %w", revision, s.bucket, err)
	}
	return r, nil
}

// add writes the release, its record last: before that it does not exist. Of two
// deliveries at once, the record of one alone comes to be; errKept is the other's.
func (s *Shelf) add(ctx context.Context, r *Release, files map[string][]byte, description []byte) error {
	for _, text := range append(slices.Collect(maps.Values(files)), description) {
		if err := s.put(ctx, fileKey(sha(text)), text, nil); err != nil {
			return err
		}
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	err = s.put(ctx, recordKey(r.Revision), text, aws.String("*"))
	if there(err) {
		return errKept
	}
	return err
}

// errKept is a record that somebody else has kept under the same number.
var errKept = errors.New("its number was taken by another delivery meanwhile")

// there reports whether an object was not written since there is one already.
func there(err error) bool {
	refused, ok := errors.AsType[smithy.APIError](err)
	return ok && refused.ErrorCode() == "PreconditionFailed"
}

// put writes an object; unless is "*" where it must not be there already.
func (s *Shelf) put(ctx context.Context, key string, text []byte, unless *string) error {
	_, err := s.client.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &s.bucket, Key: &key, Body: bytes.NewReader(text), IfNoneMatch: unless, ChecksumAlgorithm: types.ChecksumAlgorithmSha256,
	})
	if err != nil {
		return fmt.Errorf("keep %s in %s: %w", key, s.bucket, err)
	}
	return nil
}

// templates returns the release's templates as they were written, by stack, and
// the environment's description, all with the hashes that the record names.
func (s *Shelf) templates(ctx context.Context, r *Release) (files map[string][]byte, description []byte, err error) {
	files = map[string][]byte{}
	for _, stack := range r.Stacks {
		if files[stack.Name], err = s.hashed(ctx, stack.TemplateSHA256); err != nil {
			return nil, nil, fmt.Errorf("template of stack %s in release %d: %w", stack.Name, r.Revision, err)
		}
	}
	if description, err = s.hashed(ctx, r.ConfigSHA256); err != nil {
		return nil, nil, fmt.Errorf("description of release %d: %w", r.Revision, err)
	}
	return files, description, nil
}

func (s *Shelf) hashed(ctx context.Context, hash string) ([]byte, error) {
	text, err := read(ctx, s.client, s.bucket, fileKey(hash))
	if err != nil {
		return nil, fmt.Errorf("%s in %s: %w", fileKey(hash), s.bucket, err)
	}
	if sha(text) != hash {
		return nil, fmt.Errorf("%s in %s is not what was released: somebody changed it", fileKey(hash), s.bucket)
	}
	return text, nil
}

// assembly is the release's stacks with their templates.
func (r *Release) assembly(files map[string][]byte) (*cfn.Assembly, error) {
	var stacks []*cfn.Stack
	for _, s := range r.Stacks {
		stack := &cfn.Stack{Name: s.Name, StackName: s.StackName, Account: r.Account, Region: s.Region, Needs: s.Needs, Tags: s.Tags}
		if err := json.Unmarshal(files[s.Name], &stack.Template); err != nil {
			return nil, fmt.Errorf("template of stack %s in release %d: %w", s.Name, r.Revision, err)
		}
		stacks = append(stacks, stack)
	}
	return cfn.Assemble(stacks...), nil
}
