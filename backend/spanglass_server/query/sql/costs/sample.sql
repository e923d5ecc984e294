-- How large some columns of a segment are, how many values they have, and how many records are of some kind, by service.
SELECT {service} AS service, count(*) AS records, {figures}
FROM {relation}
GROUP BY service
