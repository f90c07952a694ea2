package wire

// Credentials are what somebody connects with: a user JWT, which is no secret, and the seed of
// the key that it is for, which is one. bus.Credentials are the same with methods.
type Credentials struct {
	JWT  string `json:"jwt"`
	Seed string `json:"seed"`
}
