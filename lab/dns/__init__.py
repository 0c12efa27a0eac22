"""DNS for the demo's names: what is answered, who answers, and who asks. Knows no cluster and no Docker."""
