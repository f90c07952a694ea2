package settings

import (
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jujube-project/jujube/events/tools"
)

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

func orNone(check func(string) error) func(string) error {
	return func(v string) error {
		if v == NoSource {
			return nil
		}
		return check(v)
	}
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
