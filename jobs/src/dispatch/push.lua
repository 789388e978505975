-- Adds jobs to a queue. A job that waits already stays where it is.
-- KEYS: the ring of teams, the counter of turns. ARGV: prefix of the teams' sets, channel, hint, then team, priority, id of each job.
for i = 4, #ARGV, 3 do
    redis.call('ZADD', ARGV[1] .. ARGV[i], 'NX', ARGV[i + 1], ARGV[i + 2])
    if not redis.call('ZSCORE', KEYS[1], ARGV[i]) then
        redis.call('ZADD', KEYS[1], redis.call('INCR', KEYS[2]), ARGV[i])
    end
end
redis.call('PUBLISH', ARGV[2], ARGV[3])
