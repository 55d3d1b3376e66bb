create trigger update_agents_updated_at before update on public.agents for each row execute function public.update_updated_at_column();

comment on trigger update_agents_updated_at on public.agents is 'Keeps updated_at.';
