package synchronizer

import "context"

// noteDrift says, once a run, which fields of the provider's records are not as
// they are usually. It knows names and counts alone.
func (p *pass) noteDrift(ctx context.Context) {
	p.run.NoteUnusual(p.usual)
	if text := p.run.UnusualText(); text != "" {
		p.cfg.Logger.WarnContext(ctx, "the provider's records are not as usual: compare its format with what padron knows",
			"fields", text, "read", p.run.Read)
	}
}

// drifted names, for an error, the fields that are not as usual.
func (p *pass) drifted() string {
	p.run.NoteUnusual(p.usual)
	if text := p.run.UnusualText(); text != "" {
		return " (" + text + ")"
	}
	return ""
}
