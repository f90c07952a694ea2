package logcopy_test

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/jujube-project/jujube/bus/memlog"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/logcopy"
)

// One process writes the copy, another one reads it as it would read the log.
func Example() {
	ctx, log := context.Background(), memlog.New()
	rec, err := events.New(events.Envelope{ID: "r1", Time: time.Unix(0, 0), Actor: "operator-ann"},
		&events.SettingChanged{Key: "upgrade-max-in-flight", Value: "5"})
	if err != nil {
		panic(err)
	}
	if _, err := log.Append(ctx, 0, rec); err != nil {
		panic(err)
	}

	var file bytes.Buffer
	if err := logcopy.Write(ctx, &file, log); err != nil {
		panic(err)
	}
	copied, err := logcopy.Open(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		panic(err)
	}
	for rec, err := range copied.Read(ctx, 1, 1) {
		fmt.Println(rec.Seq, rec.Kind, rec.Actor, err)
	}
	// A copy that was cut off lacks its last line, and is refused.
	_, err = logcopy.Open(bytes.NewReader(file.Bytes()), int64(file.Len())-20)
	fmt.Println(err != nil)
	// Output:
	// 1 setting.changed/1 operator-ann <nil>
	// true
}
