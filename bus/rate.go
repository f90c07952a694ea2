package bus

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/limits"
)

// Codes of messages that are not handled because who sent them has sent too many.
const (
	codeTooOften    = "too-often"
	codeBudgetSpent = "budget-spent"
)

// ErrTooOften and ErrBudgetSpent: somebody sends more messages, or more bytes, than he may. Those
// over the limit are not handled. Both are an *events.Reason.
var (
	ErrTooOften    error = events.Refuse(codeTooOften, "too many messages at once; those over the limit are not handled")
	ErrBudgetSpent error = events.Refuse(codeBudgetSpent, "the bytes of a day are spent; what comes more is not handled before some time has passed")
)

// allowance is what one key may spend on one family of subjects.
type allowance struct {
	atOnce int           // messages
	every  time.Duration // until there may be one more
	aDay   int64         // bytes; 0: they are not counted
}

// What everybody may spend, by family. limits has the numbers.
var (
	reportAllowance  = allowance{limits.ReportsAtOnce, limits.ReportEvery, limits.ReportBytesADay}
	requestAllowance = allowance{limits.RequestsAtOnce, limits.RequestEvery, limits.RequestBytesADay}
	enrolAllowance   = allowance{limits.EnrolmentsAtOnce, limits.EnrolmentEvery, 0}
)

// budget bounds what each key spends. What somebody sends over that is not handled, and nobody
// else waits for it.
//
// For each key it is two leaky buckets, of messages and of bytes, each kept as one time instead of
// a level and the time when it was looked at (the generic cell rate algorithm, ITU-T I.371).
type budget struct {
	now func() time.Time
	allowance

	mu    sync.Mutex
	spent map[string]spent
}

// spent are the times when all that somebody has sent is paid for. Each message moves them on; one
// that would move one of them too far ahead of now is refused.
type spent struct{ messages, bytes time.Time }

func newBudget(now func() time.Time, a allowance) *budget {
	return &budget{now: now, allowance: a, spent: map[string]spent{}}
}

const day = 24 * time.Hour

// take refuses a message, or counts it. The error is ErrTooOften or ErrBudgetSpent.
func (b *budget) take(key string, size int) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	s := b.spent[key]
	if s.messages.Before(now) {
		s.messages = now
	}
	if s.bytes.Before(now) {
		s.bytes = now
	}
	if s.messages.Sub(now) > time.Duration(b.atOnce-1)*b.every {
		return ErrTooOften
	}
	s.messages = s.messages.Add(b.every)
	if b.aDay > 0 {
		s.bytes = s.bytes.Add(time.Duration(float64(size) / float64(b.aDay) * float64(day)))
		if s.bytes.Sub(now) > day {
			return ErrBudgetSpent
		}
	}
	if len(b.spent) >= 1<<12 && len(b.spent)&(len(b.spent)-1) == 0 { // now and then: at each power of two
		b.forget(now)
	}
	b.spent[key] = s
	return nil
}

// forget drops the keys that have nothing to pay for: there may be ever new ones.
func (b *budget) forget(now time.Time) {
	maps.DeleteFunc(b.spent, func(_ string, s spent) bool { return !s.messages.After(now) && !s.bytes.After(now) })
}

// budgets are those of everybody whom a state server hears.
type budgets struct{ reports, requests, enrolments, renewals *budget }

func newBudgets(now func() time.Time, reportEvery time.Duration) *budgets {
	reports := reportAllowance
	if reportEvery > 0 {
		reports.every = reportEvery
	}
	return &budgets{
		reports: newBudget(now, reports), requests: newBudget(now, requestAllowance),
		enrolments: newBudget(now, enrolAllowance), renewals: newBudget(now, enrolAllowance),
	}
}

// headerSender is where NATS says who sent a message that came from another account
// (server.export, shared). It replaces what the sender wrote there himself.
const headerSender = "Nats-Request-Info"

// senderOf is the public key of who sent a message, or empty if NATS does not say it: then a
// configuration of before makes NATS keep it to itself, and all share what one may spend.
//
// It is taken from the JWT with which the sender has connected, which NATS has verified together with
// his signature. The field "user" beside it says whatever the sender wrote into the options nkey or user
// of his CONNECT. Source: nats-server 2.15.
func senderOf(m *nats.Msg) string {
	var sender struct {
		JWT string `json:"jwt"`
	}
	var claims struct {
		Subject string `json:"sub"`
	}
	if json.Unmarshal([]byte(fromNATS(m.Header, headerSender)), &sender) != nil {
		return ""
	}
	parts := strings.Split(sender.JWT, ".")
	if len(parts) != 3 {
		return ""
	}
	body, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(body, &claims) != nil || !IsPublicKey(claims.Subject) {
		return ""
	}
	return claims.Subject
}
