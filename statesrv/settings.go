package statesrv

import (
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/projections"
)

// Setting is one key that set-env takes.
type Setting struct {
	Key     string
	Default string
	Help    string
	check   func(value string) error
}

// PublicSource is where tools come from when no source is named. Source: Juju 1.25.
const PublicSource = "https://streams.canonical.com/juju/tools"

// Settings are all keys that an environment has, beside agent-version, which only an
// upgrade changes.
var Settings = []Setting{
	{"agent-metadata-url", "", "directory or URL of a simplestreams tree that is searched for tools first", checkSource},
	{"agent-stream", "released", "stream of tools: released, proposed, devel or testing", oneOf("released", "proposed", "devel", "testing")},
	{"agent-download-rate", "0", "bytes a second that a machine may take to download tools; 0: as fast as it can", number(0, 1<<40)},
	{"agent-lost-after", "30s", "how long an agent may be silent before status shows it as down", duration(time.Second, 24*time.Hour)},
	{"agent-credentials-life", bus.DefaultLife.String(), "how long a machine's credentials hold; they are renewed after half of it", duration(10*time.Second, projections.MaxLife)},
	{"enrol-policy", enrolAuto, "auto: who has a join token is a machine; approve: he waits for juju approve-machine", oneOf(enrolAuto, enrolApprove)},
	{"tools-source", PublicSource, "directory or URL of a simplestreams tree that is searched for tools next; none turns it off", checkPublicSource},
	{"tools-signers", "", "publishers of trees of tools that are believed, by the sha256 of their first root", eachWord(checkSigner)},
	{"tools-unsigned", "", "sources of tools that may be unsigned, each by the name that it is given elsewhere", eachWord(checkSource)},
	{"trust-expiry", "24h", "how long the state server's word holds that nothing newer was published; an air-gapped site takes 720h to 2160h", duration(time.Minute, 90*24*time.Hour)},
	{"upgrade-policy", "step", "how a version is chosen: step, newest or patch", oneOf("step", "newest", "patch")},
	{"upgrade-max-in-flight", "10", "how many machines are upgraded at a time, 1 to 1000", number(1, 1000)},
	{"upgrade-health-window", "10s", "how long a new version must prove itself before it is kept", duration(0, time.Hour)},
	{"upgrade-order-timeout", "1h", "how long a machine may take before its upgrade counts as failed", duration(time.Second, 30*24*time.Hour)},
}

func settingOf(key string) (Setting, bool) {
	i := slices.IndexFunc(Settings, func(s Setting) bool { return s.Key == key })
	if i < 0 {
		return Setting{}, false
	}
	return Settings[i], true
}

// value is the setting as it is in force.
func value(s *projections.State, key string) string {
	if v, ok := s.Settings[key]; ok {
		return v
	}
	setting, _ := settingOf(key)
	return setting.Default
}

// durationOf is a setting that was checked to be a duration.
func durationOf(s *projections.State, key string) time.Duration {
	d, err := time.ParseDuration(value(s, key))
	if err != nil {
		setting, _ := settingOf(key)
		d, _ = time.ParseDuration(setting.Default)
	}
	return d
}

// numberOf is a setting that was checked to be a number.
func numberOf(s *projections.State, key string) int64 {
	n, err := strconv.ParseInt(value(s, key), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func oneOf(words ...string) func(string) error {
	return func(v string) error {
		if !slices.Contains(words, v) {
			return fmt.Errorf("%q is not one of %s", v, strings.Join(words, ", "))
		}
		return nil
	}
}

func number(least, most int) func(string) error {
	return func(v string) error {
		if n, err := strconv.Atoi(v); err != nil || n < least || n > most {
			return fmt.Errorf("%q is not a number from %d to %d", v, least, most)
		}
		return nil
	}
}

func duration(least, most time.Duration) func(string) error {
	return func(v string) error {
		if d, err := time.ParseDuration(v); err != nil || d < least || d > most {
			return fmt.Errorf("%q is not a duration from %v to %v, such as 90s", v, least, most)
		}
		return nil
	}
}

func checkSource(v string) error {
	if filepath.IsAbs(v) {
		return nil
	}
	if u, err := url.Parse(v); err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return fmt.Errorf("%q is neither an absolute directory nor an http or https URL", v)
	}
	return nil
}

func checkPublicSource(v string) error {
	if v == noSource {
		return nil
	}
	return checkSource(v)
}

func checkSigner(v string) error {
	if !tools.IsDigest(v) {
		return fmt.Errorf("%q is not the sha256 of a root; juju metadata key prints this client's", v)
	}
	return nil
}

// eachWord checks every word of a list.
func eachWord(check func(string) error) func(string) error {
	return func(v string) error {
		for _, w := range Words(v) {
			if err := check(w); err != nil {
				return err
			}
		}
		return nil
	}
}

func judgeSetEnv(q *inquiry) verdict {
	var v verdict
	if len(q.ask.SetEnv) == 0 {
		return verdict{reasons: refuse(codeMalformed, "the request names no setting")}
	}
	for _, key := range sortedKeys(q.ask.SetEnv) {
		if reason := checkSetting(key, q.ask.SetEnv[key]); reason != nil {
			v.reasons = append(v.reasons, *reason)
		}
		v.decided = append(v.decided, &events.SettingChanged{Key: key, Value: q.ask.SetEnv[key]})
	}
	return v
}

func checkSetting(key, value string) *events.Reason {
	setting, ok := settingOf(key)
	switch {
	case key == "agent-version":
		return &events.Reason{Code: codeBadValue, Text: "agent-version is changed by juju upgrade-juju --version " + value + ", not by a setting"}
	case !ok:
		return &events.Reason{Code: codeBadValue, Text: fmt.Sprintf("there is no setting %q; juju get-env lists them", key)}
	}
	if err := setting.check(value); err != nil {
		return &events.Reason{Code: codeBadValue, Text: fmt.Sprintf("setting %s: %v", key, err)}
	}
	return nil
}

func judgeUnsetEnv(q *inquiry) verdict {
	var v verdict
	if len(q.ask.UnsetEnv) == 0 {
		return verdict{reasons: refuse(codeMalformed, "the request names no setting")}
	}
	for _, key := range q.ask.UnsetEnv {
		if _, ok := settingOf(key); !ok {
			v.reasons = append(v.reasons, refuse(codeBadValue, "there is no setting %q that can be unset; juju get-env lists them", key)...)
		}
		v.decided = append(v.decided, &events.SettingChanged{Key: key, Unset: true})
	}
	return v
}
