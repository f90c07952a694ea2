package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nats-io/jwt/v2"

	"github.com/jujube-project/jujube/bus/internal/names"
)

// UpdateAccount gives NATS new claims of an account (server.Accounts.Revocations makes them).
// NATS disconnects at once every user whose credentials they revoke, and lets him in no more.
// The connection must have been made with SystemCredentials.
func (c *Conn) UpdateAccount(ctx context.Context, token string) error {
	claims, err := jwt.DecodeAccountClaims(token)
	if err != nil {
		return fmt.Errorf("update an account: %w", err)
	}
	m, err := c.nats.RequestWithContext(ctx, names.AccountUpdate(claims.Subject), []byte(token))
	if err != nil {
		return fmt.Errorf("update account %s: %w", claims.Name, translate(err))
	}
	var answer struct {
		Error *struct{ Description string } `json:"error"`
	}
	err = json.Unmarshal(m.Data, &answer)
	if err == nil && answer.Error != nil {
		err = errors.New(answer.Error.Description)
	}
	if err != nil {
		return fmt.Errorf("update account %s: %w", claims.Name, err)
	}
	return nil
}
