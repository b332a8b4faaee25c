package delivery

import (
	"context"
	"errors"
	"fmt"

	"github.com/goccy/go-yaml"

	"padron/infra/config"
	"padron/infra/review"
)

// done seals the record and writes the review of it. What nobody can review comes
// to nothing.
func (p *planning) done(ctx context.Context) (*Plan, error) {
	p.record.Seal()
	text, err := p.document(ctx)
	if err != nil {
		return nil, errors.Join(err, p.withdraw(ctx))
	}
	return &Plan{Record: p.record, Review: text}, nil
}

// Review makes the document of a record anew: of the change sets as CloudFormation
// describes them, of the stacks as they stand and of the templates of the commit.
// What the record says of them is checked first, so that of what would happen
// nothing in the document is the word of whoever planned. A record that cannot be
// applied has none. Findings are what the proofs say.
func (d *Delivery) Review(ctx context.Context, record *Record, findings ...string) (string, error) {
	shelf := NewShelf(d.Env, d.AWS)
	last, err := d.sound(ctx, shelf, record)
	if err == nil {
		err = d.waitRightly(ctx, record)
	}
	if err != nil {
		return "", fmt.Errorf("this cannot be applied, so there is nothing to approve:\n%w", err)
	}
	p := &planning{Delivery: d, record: record, shelf: shelf, last: last, findings: findings}
	if p.stands, err = d.standingAll(ctx); err != nil {
		return "", err
	}
	return p.document(ctx)
}

// document is the review document of the record.
func (p *planning) document(ctx context.Context) (string, error) {
	r := &review.Review{
		Environment: p.record.Environment, Account: p.record.Account, Commit: p.record.Commit, Padron: p.record.Padron,
		Created: p.record.Created, Record: p.record.SHA256, RollbackTo: p.record.RollbackTo, Base: p.record.Base,
		Before: p.before(p.stands), After: p.Templates, EnvBefore: p.Env, EnvAfter: described(p.Description, p.Env),
		ImagesAfter: p.record.Images,
	}
	for _, s := range p.record.Stacks {
		r.Stacks = append(r.Stacks, review.Stack{Name: s.Name, State: string(s.State), WaitsFor: s.WaitsFor, Changes: s.Changes})
	}
	for _, l := range p.record.Losses() {
		r.Losses = append(r.Losses, review.Loss{Name: l.Name(), What: l.String()})
	}
	if err := p.compare(ctx, r); err != nil {
		return "", err
	}
	return r.Markdown()
}

// compare adds what the last release says of what stands now, and what else a
// reviewer should know.
func (p *planning) compare(ctx context.Context, r *review.Review) error {
	if p.last != nil {
		files, description, err := p.shelf.templates(ctx, p.last)
		if err != nil {
			return err
		}
		r.EnvBefore, r.ImagesBefore = described(description, p.Env), p.last.Images
		moved, err := p.moved(files)
		if err != nil {
			return err
		}
		r.Findings = append(r.Findings, moved...)
	}
	if err := p.pulled(ctx, p.record.Images); err != nil {
		r.Findings = append(r.Findings, "Services will not start: "+err.Error())
	}
	gone, err := p.gone(ctx)
	if err != nil {
		return err
	}
	r.Findings = append(r.Findings, append(append(gone, p.torn()...), p.findings...)...)
	return nil
}

// described reads a description that was valid when it was released; where it
// cannot be read any more, the present one stands for it.
func described(text []byte, present *config.Environment) *config.Environment {
	e := &config.Environment{}
	if err := yaml.Unmarshal(text, e); err != nil || e.Name != present.Name {
		return present
	}
	return e
}

// moved are the stacks whose deployed template is not the last release's:
// somebody deployed it otherwise, or an apply stopped half way.
func (p *planning) moved(files map[string][]byte) ([]string, error) {
	var lines []string
	for _, s := range p.last.Stacks {
		_, meaning, err := Meaning(files[s.Name])
		if err != nil {
			return nil, err
		}
		switch at := p.stands[s.Name]; {
		case at == nil && p.Templates.Stack(s.Name) != nil:
			lines = append(lines, fmt.Sprintf("Stack %s was in release %d and is gone.", s.Name, p.last.Revision))
		case at != nil && at.MeaningSHA256 != meaning:
			lines = append(lines, fmt.Sprintf("Stack %s is not as release %d left it: it was deployed otherwise since, or an apply stopped half way.", s.Name, p.last.Revision))
		}
	}
	return lines, nil
}
