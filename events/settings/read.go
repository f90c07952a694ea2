package settings

import (
	"strconv"
	"strings"
	"time"
)

// Value is the value in force: the one that was set, or else the default.
func Value(set map[string]string, key string) string {
	if v, ok := set[key]; ok {
		return v
	}
	s, _ := Of(key)
	return s.Default
}

// Duration is the value in force of a setting that is a duration. A value that is none,
// because a version with other rules set it, counts as the default.
func Duration(set map[string]string, key string) time.Duration {
	d, err := time.ParseDuration(Value(set, key))
	if err != nil {
		s, _ := Of(key)
		d, _ = time.ParseDuration(s.Default)
	}
	return d
}

// Number is the value in force of a setting that is a number. A value that is none counts
// as 0.
func Number(set map[string]string, key string) int64 {
	n, err := strconv.ParseInt(Value(set, key), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// Words are the parts of a setting that is a list: commas and blanks separate them.
func Words(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}
