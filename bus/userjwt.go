package bus

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/jwt/v2"

	"github.com/jujube-project/jujube/bus/internal/names"
)

// Holder is the name and the public key that a user JWT is for. The JWT's signature is not
// checked: NATS checks it at every connection.
func Holder(token string) (name, key string, err error) {
	claims, err := jwt.DecodeUserClaims(token)
	if err != nil {
		return "", "", fmt.Errorf("read credentials: %w", err)
	}
	return claims.Name, claims.Subject, nil
}

// Life is how long a machine's credentials hold, as their JWT says.
type Life struct {
	Issued     time.Time
	Ends       time.Time
	Generation uint64 // how often they were renewed
}

// LifeOf reads a machine's user JWT. As with Holder, the JWT's signature is not checked.
func LifeOf(token string) (Life, error) {
	claims, err := jwt.DecodeUserClaims(token)
	if err != nil {
		return Life{}, fmt.Errorf("read credentials: %w", err)
	}
	l := Life{Issued: time.Unix(claims.IssuedAt, 0), Ends: time.Unix(claims.Expires, 0)}
	for _, tag := range claims.Tags {
		if n, ok := strings.CutPrefix(tag, names.GenerationTag); ok {
			l.Generation, err = strconv.ParseUint(n, 10, 64)
		}
	}
	return l, err
}
