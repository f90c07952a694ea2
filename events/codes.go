package events

// Code is one stable word for why something was refused, failed or stands still. Programs go
// by the word, so it never changes its meaning; people read the text that comes with it.
//
// Each code has one row in Codes and one constant. The constant stands here when more than one
// package uses it, else in the package that does; TestLawOfCodes holds the two together.
type Code struct {
	Word    string
	Meaning string
	Next    string // what an operator does about it
}

// CodeGroup is the codes of one noun.
type CodeGroup struct {
	Title string
	Codes []Code
}

// Codes is the one table of codes. docs/SECURITY.md is generated from it, in this order.
var Codes = []CodeGroup{
	{"Who asks, and for what", lawCodes},
	{"Upgrades", upgradeCodes},
	{"Machines, units and settings", requestCodes},
	{"Enrolment and credentials", enrolCodes},
	{"Signed metadata", trustCodes},
	{"Orders that a machine could not carry out", failureCodes},
	{"The log", logCodes},
}
