package wire_test

import (
	"context"
	"fmt"

	"github.com/jujube-project/jujube/events/wire"
)

// A state server answers a question, and a client asks it. Here nothing lies between them;
// in an environment an Asker is a connection of package bus.
func ExampleQuestion() {
	answer := wire.Digest.AnsweredBy(func(context.Context, wire.Nothing) (wire.Position, error) {
		return wire.Position{Seq: 42, Digest: "8f1c"}, nil
	})
	connection := wire.AskerFunc(func(ctx context.Context, name string, body []byte) ([]byte, error) {
		b, err := answer.Answer(ctx, body)
		fmt.Printf("query.%s: %s\n", name, b)
		return b, err
	})

	position, err := wire.Digest.Ask(context.Background(), connection, wire.Nothing{})
	fmt.Println(position.Seq, err)
	// Output:
	// query.digest: {"seq":42,"digest":"8f1c"}
	// 42 <nil>
}
