package wire

// Credentials let somebody connect: a user JWT, which is no secret, and the seed of the
// key that it names, which is. Package bus reads and writes files of them.
type Credentials struct {
	JWT  string `json:"jwt"`
	Seed string `json:"seed"`
}
