package host

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
)

// StartTicks reads when a process began, in clock ticks since boot. Together with the id of
// the [Boot] it tells a process from a later one with the same PID. A process that has ended
// and that nobody has waited for yet (a zombie) is os.ErrProcessDone. Source: proc_pid_stat(5).
func StartTicks(pid int) (uint64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	// The second field is the program's name in parentheses, and may hold spaces and
	// parentheses itself: the fields are counted from the last one.
	fields := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	const state, start = 0, 19
	if len(fields) <= start || string(fields[state]) == "Z" || string(fields[state]) == "X" {
		return 0, os.ErrProcessDone
	}
	return strconv.ParseUint(string(fields[start]), 10, 64)
}
