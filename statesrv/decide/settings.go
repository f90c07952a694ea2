package decide

import (
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/settings"
)

func judgeSetEnv(q *inquiry) verdict {
	var v verdict
	if len(q.ask.SetEnv) == 0 {
		return verdict{reasons: refuse(codeMalformed, "the request names no setting")}
	}
	for _, key := range sortedKeys(q.ask.SetEnv) {
		if reason := checkSetting(key, q.ask.SetEnv[key]); reason != nil {
			v.reasons = append(v.reasons, *reason)
		} else if setting, _ := settings.Of(key); setting.Signed() != "" {
			v.reasons = append(v.reasons, refuse(codeBadValue, "%s says whom to believe, so release managers sign it: juju trust publishers %s %s",
				key, setting.Signed(), q.ask.SetEnv[key])...)
		}
		v.decided = append(v.decided, &events.SettingChanged{Key: key, Value: q.ask.SetEnv[key]})
	}
	return v
}

func checkSetting(key, value string) *events.Reason {
	setting, ok := settings.Of(key)
	switch {
	case key == "agent-version":
		return &events.Reason{Code: codeBadValue, Text: "agent-version is changed by juju upgrade-juju --version " + value + ", not by a setting"}
	case !ok:
		return events.Refuse(codeBadValue, "there is no setting %q; juju get-env lists them", key)
	}
	if err := setting.Check(value); err != nil {
		return events.Refuse(codeBadValue, "setting %s: %v", key, err)
	}
	return nil
}

func judgeUnsetEnv(q *inquiry) verdict {
	var v verdict
	if len(q.ask.UnsetEnv) == 0 {
		return verdict{reasons: refuse(codeMalformed, "the request names no setting")}
	}
	for _, key := range q.ask.UnsetEnv {
		if _, ok := settings.Of(key); !ok {
			v.reasons = append(v.reasons, refuse(codeBadValue, "there is no setting %q that can be unset; juju get-env lists them", key)...)
		}
		v.decided = append(v.decided, &events.SettingChanged{Key: key, Unset: true})
	}
	return v
}
