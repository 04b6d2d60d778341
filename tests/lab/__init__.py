"""The lab: two virtual machines with real ib_srpt, ib_srp, dm-multipath and multipathd."""
