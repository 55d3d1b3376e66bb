create view public.v_agent_performance as
 select ag.id as agent_id,
    ag.type as agent_type,
    ag.status,
    ag.current_task_count,
    ag.max_concurrent_tasks,
    coalesce(t.total_tasks, (0)::bigint) as total_tasks,
    coalesce(t.completed_tasks, (0)::bigint) as completed_tasks,
    coalesce(t.failed_tasks, (0)::bigint) as failed_tasks,
    round(((t.completed_tasks)::numeric / (nullif((t.completed_tasks + t.failed_tasks), 0))::numeric), 4) as success_rate,
    t.avg_completion_seconds,
    coalesce(a.total_contact_attempts, (0)::bigint) as total_contact_attempts,
    coalesce(a.successful_contacts, (0)::bigint) as successful_contacts,
    ag.last_active_at
   from ((public.agents ag
     left join ( select tasks.assigned_agent_id,
            count(*) as total_tasks,
            count(*) filter (where ((tasks.status)::text = 'completed'::text)) as completed_tasks,
            count(*) filter (where ((tasks.status)::text = 'failed'::text)) as failed_tasks,
            round(avg(extract(epoch from (tasks.completed_at - tasks.started_at))) filter (where ((tasks.status)::text = 'completed'::text)), 2) as avg_completion_seconds
           from public.tasks
          group by tasks.assigned_agent_id) t on ((t.assigned_agent_id = ag.id)))
     left join ( select contact_attempts.agent_id,
            count(*) as total_contact_attempts,
            count(*) filter (where ((contact_attempts.status)::text = any (array['answered'::character varying, 'replied'::character varying]))) as successful_contacts
           from public.contact_attempts
          group by contact_attempts.agent_id) a on ((a.agent_id = ag.id)));

comment on view public.v_agent_performance is 'Tasks and contacts of every agent, one row an agent, also of those without any.';
comment on column public.v_agent_performance.total_tasks is 'Tasks assigned to the agent, of any status.';
comment on column public.v_agent_performance.completed_tasks is 'Tasks completed.';
comment on column public.v_agent_performance.failed_tasks is 'Tasks failed.';
comment on column public.v_agent_performance.success_rate is 'Completed / (completed + failed), 0 to 1; NULL before the first of either.';
comment on column public.v_agent_performance.avg_completion_seconds is 'Average time in seconds from start to end of the completed tasks; NULL if none has both times.';
comment on column public.v_agent_performance.total_contact_attempts is 'Contact attempts the agent made.';
comment on column public.v_agent_performance.successful_contacts is 'Attempts that were answered or replied.';
