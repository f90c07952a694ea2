// Package rollout says what an upgrade does next. Plan is a pure function of the state: it reads no clock,
// and the same state gives the same plan on every machine. The state server records what the plan says,
// folds that, and plans again. Planning twice on one state gives the same plan, so it does no harm.
//
// Three words:
//
//   - a step is what the plan says about one machine, always with a reason;
//   - a machine is in flight if it has an open order of the upgrade;
//   - an upgrade that is halted orders no further machine until an operator decides.
//
// State servers go first, one at a time. The other machines follow, at most Policy.MaxInFlight at once. If
// the order of a machine fails, is rolled back or times out, the upgrade halts. Orders that are open then
// are not withdrawn: their machines end them.
package rollout
