create view public.v_agent_performance as
 select ag.id as agent_id,
    ag.type as agent_type,
    ag.status,
    ag.current_task_count,
    ag.max_concurrent_tasks,
    (done.completed_tasks + others.other_tasks) as total_tasks,
    done.completed_tasks,
    others.failed_tasks,
    round(((done.completed_tasks)::numeric / (nullif((done.completed_tasks + others.failed_tasks), 0))::numeric), 4) as success_rate,
    done.avg_completion_seconds,
    a.total_contact_attempts,
    a.successful_contacts,
    ag.last_active_at
   from (((public.agents ag
     cross join lateral ( select count(*) as completed_tasks,
            round(avg(extract(epoch from (ta.completed_at - ta.started_at))), 2) as avg_completion_seconds
           from public.tasks ta
          where ((ta.assigned_agent_id = ag.id) and ((ta.status)::text = 'completed'::text))) done)
     cross join lateral ( select count(*) as other_tasks,
            count(*) filter (where ((ta.status)::text = 'failed'::text)) as failed_tasks
           from public.tasks ta
          where ((ta.assigned_agent_id = ag.id) and ((ta.status)::text <> 'completed'::text))) others)
     cross join lateral ( select count(*) as total_contact_attempts,
            count(*) filter (where ((at.status)::text = any (array['answered'::character varying, 'replied'::character varying]))) as successful_contacts
           from public.contact_attempts at
          where (at.agent_id = ag.id)) a);

comment on view public.v_agent_performance is 'Tasks and contacts of every agent, one row an agent, also of those without any.';
comment on column public.v_agent_performance.total_tasks is 'Tasks assigned to the agent, of any status.';
comment on column public.v_agent_performance.completed_tasks is 'Tasks completed.';
comment on column public.v_agent_performance.failed_tasks is 'Tasks failed.';
comment on column public.v_agent_performance.success_rate is 'Completed / (completed + failed), 0 to 1; NULL before the first of either.';
comment on column public.v_agent_performance.avg_completion_seconds is 'Average time in seconds from start to end of the completed tasks; NULL if none has both times.';
comment on column public.v_agent_performance.total_contact_attempts is 'Contact attempts the agent made.';
comment on column public.v_agent_performance.successful_contacts is 'Attempts that were answered or replied.';
