create trigger update_templates_updated_at before update on public.templates for each row execute function public.update_updated_at_column();

comment on trigger update_templates_updated_at on public.templates is 'Keeps updated_at.';
