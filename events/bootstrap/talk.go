package bootstrap

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/jujube-project/jujube/events/limits"
)

// Ask is the client's side: it sends the plan, has sign make the first metadata for the
// keys that come back, and returns what was made. An error of sign ends the conversation,
// and jujud then leaves nothing behind.
func Ask(to io.Writer, from io.Reader, p Plan, sign func(Keys) (Signed, error)) (Made, error) {
	out, in := json.NewEncoder(to), decoder(from)
	var k Keys
	var m Made
	if err := out.Encode(p); err != nil {
		return m, fmt.Errorf("send the plan: %w", err)
	}
	if err := in.Decode(&k); err != nil {
		return m, fmt.Errorf("read the state server's keys: %w", err)
	}
	s, err := sign(k)
	if err != nil {
		return m, err
	}
	if err := out.Encode(s); err != nil {
		return m, fmt.Errorf("send the signed metadata: %w", err)
	}
	if err := in.Decode(&m); err != nil {
		return m, fmt.Errorf("read what was made: %w", err)
	}
	return m, nil
}

// Server is jujud's side. Prepare makes keys in memory; Make writes everything to disk.
type Server interface {
	Prepare(Plan) (Keys, error)
	Make(Signed) (Made, error)
}

// Answer is jujud's side of Ask.
func Answer(from io.Reader, to io.Writer, s Server) error {
	in, out := decoder(from), json.NewEncoder(to)
	var p Plan
	if err := in.Decode(&p); err != nil {
		return fmt.Errorf("read the plan: %w", err)
	}
	if err := p.validate(); err != nil {
		return err
	}
	keys, err := s.Prepare(p)
	if err != nil {
		return err
	}
	if err := out.Encode(keys); err != nil {
		return fmt.Errorf("send the state server's keys: %w", err)
	}
	var signed Signed
	if err := in.Decode(&signed); err != nil {
		return fmt.Errorf("read the signed metadata: %w; nothing was made", err)
	}
	made, err := s.Make(signed)
	if err != nil {
		return err
	}
	if err := out.Encode(made); err != nil {
		return fmt.Errorf("send what was made: %w", err)
	}
	return nil
}

func decoder(r io.Reader) *json.Decoder {
	return json.NewDecoder(io.LimitReader(r, limits.BootstrapBytes))
}
