package delivery

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// file is one entry of an asset manifest of the CDK.
type file struct {
	Source struct {
		// Path is below the assembly; Packaging is file, or zip for a folder.
		Path      string `json:"path"`
		Packaging string `json:"packaging"`
	} `json:"source"`
	Destinations map[string]struct {
		Bucket string `json:"bucketName"`
		Key    string `json:"objectKey"`
		Region string `json:"region"`
	} `json:"destinations"`
}

// source is an asset and the file of the assembly that it is made of.
type source struct {
	Asset
	file file
}

// sources are the files of every stack's asset manifest, each place once, in
// order. Their hashes are not known yet.
func (d *Delivery) sources() ([]source, error) {
	found := map[string]source{}
	for _, s := range d.Templates.Stacks {
		var manifest struct {
			Files map[string]file `json:"files"`
		}
		if err := readJSON(filepath.Join(d.Templates.Dir, s.Name+".assets.json"), &manifest); err != nil {
			return nil, err
		}
		for _, f := range manifest.Files {
			for _, to := range f.Destinations {
				asset := Asset{Region: to.Region, Bucket: to.Bucket, Key: to.Key}
				found[asset.at()] = source{asset, f}
			}
		}
	}
	var all []source
	for _, at := range sortedKeys(found) {
		all = append(all, found[at])
	}
	return all, nil
}

// upload brings every file of the assembly into its region's bucket, and returns
// what is there. The CDK names each after a hash of its source, so that what is
// there already stays.
func (d *Delivery) upload(ctx context.Context) ([]Asset, error) {
	sources, err := d.sources()
	if err != nil {
		return nil, err
	}
	var all []Asset
	for _, s := range sources {
		if s.SHA256, err = d.put(ctx, s.Asset, s.file); err != nil {
			return nil, fmt.Errorf("asset %s: %w", s.at(), err)
		}
		all = append(all, s.Asset)
	}
	return all, nil
}

// at is where the asset is, for people.
func (a Asset) at() string { return "s3://" + a.Bucket + "/" + a.Key }

// path is where the assembly has the file.
func (d *Delivery) path(f file) string { return filepath.Join(d.Templates.Dir, f.Source.Path) }

// put uploads the asset, and returns its hash. The role that plans can write an
// object once: one that is there stays, and is compared.
func (d *Delivery) put(ctx context.Context, asset Asset, f file) (string, error) {
	source, client := d.path(f), objects(d.in(asset.Region))
	text, err := packed(source, f.Source.Packaging)
	if err != nil {
		return "", err
	}
	_, err = client.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &asset.Bucket, Key: &asset.Key, Body: bytes.NewReader(text), IfNoneMatch: aws.String("*"), ChecksumAlgorithm: types.ChecksumAlgorithmSha256,
	})
	if err == nil {
		d.say("uploaded %s", asset.at())
		return sha(text), nil
	}
	if !there(err) {
		return "", err
	}
	old, err := read(ctx, client, asset.Bucket, asset.Key)
	if err != nil {
		return "", err
	}
	same, err := holds(old, source, f.Source.Packaging)
	if err == nil && !same {
		err = errors.New("what is there is not what the commit holds, so somebody changed it: have an administrator delete that object, and plan again")
	}
	return sha(old), err
}

func read(ctx context.Context, client *s3.Client, bucket, key string) ([]byte, error) {
	answer, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close() //nolint:errcheck // it was only read
	return io.ReadAll(answer.Body)
}

// packed is the file, or the folder's archive: the same bytes for the same files.
func packed(source, packaging string) ([]byte, error) {
	if packaging != "zip" {
		return os.ReadFile(source) //nolint:gosec // a file of the synthesis
	}
	files, err := folder(source)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range sortedKeys(files) {
		header := &zip.FileHeader{Name: name, Method: zip.Deflate}
		header.SetMode(0o644)
		in, err := w.CreateHeader(header)
		if err != nil {
			return nil, err
		}
		if _, err := in.Write(files[name]); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// holds reports whether the object is the file, or an archive of the folder.
func holds(object []byte, source, packaging string) (bool, error) {
	if packaging != "zip" {
		want, err := os.ReadFile(source) //nolint:gosec // a file of the synthesis
		return bytes.Equal(object, want), err
	}
	want, err := folder(source)
	if err != nil {
		return false, err
	}
	got, err := unpacked(object)
	if err != nil {
		return false, nil //nolint:nilerr // what is no archive is not this one
	}
	return maps.EqualFunc(want, got, bytes.Equal), nil
}

// folder returns the files below dir by their names with slashes.
func folder(dir string) (map[string][]byte, error) {
	files := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		files[filepath.ToSlash(name)], err = os.ReadFile(path) //nolint:gosec // below the folder of the synthesis
		return err
	})
	return files, err
}

// unpacked returns the archive's files by name.
func unpacked(archive []byte) (map[string][]byte, error) {
	r, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, f := range r.File {
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		if _, twice := files[f.Name]; twice {
			return nil, fmt.Errorf("it holds %s twice, and who unpacks it may take either", f.Name)
		}
		in, err := f.Open()
		if err != nil {
			return nil, err
		}
		files[f.Name], err = io.ReadAll(in)
		if err = errors.Join(err, in.Close()); err != nil {
			return nil, err
		}
	}
	return files, nil
}
