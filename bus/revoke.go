package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jujube-project/jujube/bus/internal/names"
	"github.com/nats-io/jwt/v2"
)

// UpdateAccount makes NATS believe an account's new claims: whose credentials they revoke
// is cut off at once, and stays out. The connection must have SystemCredentials.
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
