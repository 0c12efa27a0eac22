"""A talk on a stage: live on a cluster, with each step's recording to go on with. It knows no screen."""
