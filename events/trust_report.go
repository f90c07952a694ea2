package events

import (
	"errors"
	"time"

	"github.com/jujube-project/jujube/events/tools"
)

// TrustRefused says that a machine did not believe a bundle that was published. It goes on
// believing what it believed before.
type TrustRefused struct {
	ReportHead
	Bundle string `json:"bundle"` // its sha256
	Code   string `json:"code"`   // stable word, such as "tuf-rollback"
	Text   string `json:"text"`
}

func (*TrustRefused) Kind() string     { return "trust.refused/1" }
func (e *TrustRefused) Entity() string { return entityMachine(e.Machine) }

// Validate asks for all fields.
func (e *TrustRefused) Validate() error {
	if !tools.IsDigest(e.Bundle) || e.Code == "" || e.Text == "" {
		return errors.New("a refusal of a bundle without its digest, a code or a text")
	}
	return errors.Join(needText("code", e.Code, 64), needText("text", e.Text, 4096), e.ReportHead.validate())
}

// TrustStale says that four fifths of the life of what a machine believes are over and
// nothing newer came. When it ends, the machine takes no new version any more.
type TrustStale struct {
	ReportHead
	Timestamp int64     `json:"timestamp"` // version of the document
	Ends      time.Time `json:"ends"`
}

func (*TrustStale) Kind() string     { return "trust.stale/1" }
func (e *TrustStale) Entity() string { return entityMachine(e.Machine) }

// Validate asks for both fields.
func (e *TrustStale) Validate() error {
	if e.Timestamp < 1 || e.Ends.IsZero() {
		return errors.New("no version or no end of the timestamp")
	}
	return e.ReportHead.validate()
}
