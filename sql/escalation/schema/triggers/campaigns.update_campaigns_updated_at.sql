create trigger update_campaigns_updated_at before update on public.campaigns for each row execute function public.update_updated_at_column();

comment on trigger update_campaigns_updated_at on public.campaigns is 'Keeps updated_at.';
