package install

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
)

// JournalSchema is the newest schema of the journal that this build reads. A journal is written
// with it only while NoReturn is set: a launcher that does not know NoReturn must not judge
// the trial, and refuses the newer schema.
const JournalSchema = 2

// plainSchema is the schema of every journal without NoReturn.
const plainSchema = 1

// Phases of an upgrade on a host.
//
// They also say who writes the journal, so that launcher and agent never write it at the same
// time. In PhaseTrial the launcher writes it, before a start and after the agent said healthy;
// between the two the agent may set NoReturn, and nothing else. In every other phase the agent
// writes it, and the launcher only while no agent runs.
const (
	PhaseIdle       = ""
	PhaseAccepted   = "accepted"    // downloading
	PhaseStaged     = "staged"      // complete beside the old version, not tested
	PhaseTrial      = "trial"       // the link points, or is about to point, to the new version
	PhaseCommitted  = "committed"   // the new version proved itself; not yet reported
	PhaseFailed     = "failed"      // given up before the switch; not yet reported
	PhaseRolledBack = "rolled-back" // the old version is back; not yet reported
)

// Journal is everything that the launcher and the agent need to know at a start, to go on from
// whatever moment the one before was cut off at.
type Journal struct {
	Schema  int    `json:"schema"`
	Phase   string `json:"phase"`
	Good    string `json:"good"`              // version that last proved itself; never guessed from the link
	Last    string `json:"previous"`          // the good one before it
	Seq     uint64 `json:"seq"`               // newest order that was looked at
	Order   *Order `json:"order,omitempty"`   // in work
	Trial   *Trial `json:"trial,omitempty"`   // in PhaseTrial
	Restart string `json:"restart,omitempty"` // id of a restart order in work

	Failure *events.Failure   `json:"failure,omitempty"` // in PhaseRolledBack; in PhaseTrial of the start before
	Denied  map[string]string `json:"denied,omitempty"`  // digest → why that version is refused here
	// NoReturn is the upgrade step of the version on trial that cannot be undone. It is
	// written before that step is taken; from then on nobody goes back to Good.
	NoReturn string `json:"no_return,omitempty"`
	// Unproven is that step, when Good is a version that took it and never proved itself:
	// another order ended its trial.
	Unproven string `json:"unproven,omitempty"`

	// Used are the requests that were done here, with the time until which they could be
	// shown again: a done one is answered, and not done twice.
	Used map[string]time.Time `json:"used,omitempty"`

	Guard *Guard `json:"guard,omitempty"` // over the version that was committed last
}

// Guard counts the crashes of a version after its commit, until it has lived long enough.
type Guard struct {
	Order   Order `json:"order"` // that brought it
	Crashes int   `json:"crashes"`
	// Unproven is the Unproven of the version before it, should that come back.
	Unproven string `json:"unproven,omitempty"`
}

// Order is an accepted order.
type Order struct {
	ID      string         `json:"id"`
	Upgrade string         `json:"upgrade"`
	From    version.Number `json:"from"`
	Tools   tools.Tools    `json:"tools"`
	Window  time.Duration  `json:"window_ns"`              // of health
	Rate    int64          `json:"rate_bytes_s,omitempty"` // of the download; 0: no limit
	Until   time.Time      `json:"until,omitzero"`         // of its request; see Journal.Used

	// Warrant is what operators signed, so that the order can be judged again: before anything
	// of the new version runs, and by another process. It is dropped with the switch. Agents of
	// before wrote none.
	Warrant events.Warrant `json:"warrant,omitzero"`
}

// Trial counts what a version on trial has used up. Time is read from CLOCK_BOOTTIME: a wall
// clock that is set neither ends nor extends a trial.
type Trial struct {
	Attempts int    `json:"attempts"`
	BootID   string `json:"boot_id"`
	Started  int64  `json:"started_ns"` // CLOCK_BOOTTIME of that boot
}

// ErrJournal: the journal cannot be used. It is damaged, or of a newer schema.
var ErrJournal = errors.New("unusable journal")

// sealed is what the journal's file holds.
type sealed struct {
	CRC     uint32          `json:"crc32"`
	Journal json.RawMessage `json:"journal"`
}

// ReadJournal reads the journal. If there is none, it returns an empty one. ErrJournal means
// that its content is lost to this build. After any other error the next read may succeed.
func (l Layout) ReadJournal() (Journal, error) {
	j := Journal{Schema: plainSchema}
	b, err := readFile(l.disk(), l.JournalFile())
	if errors.Is(err, fs.ErrNotExist) {
		return j, nil
	}
	if err != nil {
		return j, fmt.Errorf("read the journal %s: %w", l.JournalFile(), err)
	}
	var s sealed
	err = json.Unmarshal(b, &s)
	if err == nil && crc32.ChecksumIEEE(s.Journal) != s.CRC {
		err = errors.New("its checksum does not match")
	}
	if err == nil {
		err = json.Unmarshal(s.Journal, &j)
	}
	if err == nil && j.Schema > JournalSchema {
		err = fmt.Errorf("its schema is %d, this version knows %d", j.Schema, JournalSchema)
	}
	if err != nil {
		return Journal{Schema: plainSchema}, fmt.Errorf("%w: %s: %w", ErrJournal, l.JournalFile(), err)
	}
	return j, nil
}

// WriteJournal replaces the journal, atomically and durably.
func (l Layout) WriteJournal(j Journal) error {
	if j.Schema = plainSchema; j.NoReturn != "" {
		j.Schema = JournalSchema
	}
	body, err := json.Marshal(j)
	if err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	b, err := json.Marshal(sealed{CRC: crc32.ChecksumIEEE(body), Journal: body})
	if err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	return writeFile(l.disk(), l.JournalFile(), append(b, '\n'))
}
