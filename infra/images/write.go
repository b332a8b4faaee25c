package images

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"golang.org/x/sync/errgroup"
)

// MaxSize is the most bytes that one platform's image may take in a registry.
const MaxSize = 25 << 20

// Built is one image on disk.
type Built struct {
	Name string `json:"name"`
	// Digest is the index's, sha256:..., which the estate's configuration names.
	Digest string `json:"digest"`
	// Sizes are the bytes that a pull takes, by architecture.
	Sizes map[string]int64 `json:"sizes"`
	// Platforms are the digests of the images that the index holds, by
	// architecture: what a scanner looks at.
	Platforms map[string]string `json:"platforms"`
	index     v1.ImageIndex
}

// All builds every image of the source into dir: each as an OCI image layout in
// dir/NAME, with its bills of materials beside it (see [Bill]).
func All(ctx context.Context, s Source, dir string) ([]Built, error) {
	all := make([]Built, len(Names))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.NumCPU())
	for i, name := range Names {
		group.Go(func() (err error) {
			all[i], err = one(ctx, s, name, dir)
			return err
		})
	}
	return all, group.Wait()
}

// one builds and describes an image.
func one(ctx context.Context, s Source, name, dir string) (Built, error) {
	index, err := Build(ctx, s, name)
	if err != nil {
		return Built{}, err
	}
	built, err := Write(dir, name, index)
	if err != nil {
		return Built{}, err
	}
	return built, describe(ctx, s, dir, built)
}

// Write puts the image into dir/NAME as an OCI image layout, in place of one
// that is there, and measures it. An image over [MaxSize] is an error.
func Write(dir, image string, index v1.ImageIndex) (Built, error) {
	to := filepath.Join(dir, image)
	if err := os.RemoveAll(to); err != nil {
		return Built{}, err
	}
	if err := os.MkdirAll(to, 0o750); err != nil {
		return Built{}, err
	}
	if _, err := layout.Write(to, index); err != nil {
		return Built{}, fmt.Errorf("write image %s: %w", image, err)
	}
	return measure(image, index)
}

func measure(image string, index v1.ImageIndex) (Built, error) {
	digest, err := index.Digest()
	if err != nil {
		return Built{}, err
	}
	built := Built{Name: image, Digest: digest.String(), Sizes: map[string]int64{}, Platforms: map[string]string{}, index: index}
	manifest, err := index.IndexManifest()
	if err != nil {
		return Built{}, err
	}
	for _, m := range manifest.Manifests {
		platform, err := index.Image(m.Digest)
		if err != nil {
			return Built{}, err
		}
		inner, err := platform.Manifest()
		if err != nil {
			return Built{}, err
		}
		size := m.Size + inner.Config.Size
		for _, l := range inner.Layers {
			size += l.Size
		}
		if size > MaxSize {
			return Built{}, fmt.Errorf("image %s for %s is %d bytes, over the %d that one may be", image, m.Platform.Architecture, size, MaxSize)
		}
		built.Sizes[m.Platform.Architecture] = size
		built.Platforms[m.Platform.Architecture] = m.Digest.String()
	}
	return built, nil
}

// Push puts the image into a registry as REPOSITORY:tag, platforms and all.
// Tags are immutable there: a tag that is there with the same bytes is left as
// it is, and one with other bytes is refused.
func Push(ctx context.Context, b Built, repository, tag string, who authn.Authenticator, options ...name.Option) error {
	ref, err := name.NewTag(repository+":"+tag, options...)
	if err != nil {
		return fmt.Errorf("push image %s: %w", b.Name, err)
	}
	if there, err := remote.Head(ref, remote.WithAuth(who), remote.WithContext(ctx)); err == nil {
		if there.Digest.String() == b.Digest {
			return nil
		}
		return fmt.Errorf("push image %s: %s is there already as %s: what has a name keeps it; release a commit of its own", b.Name, ref, there.Digest)
	}
	if err := remote.WriteIndex(ref, b.index, remote.WithAuth(who), remote.WithContext(ctx)); err != nil {
		return fmt.Errorf("push image %s to %s: %w", b.Name, ref, err)
	}
	return nil
}
