-- Which sets have an output, and whether they add it or take it away, by the index alone: `history` reads it for
-- thousands of runs.
DROP INDEX member_output;
CREATE INDEX member_output ON member (output, present);
